// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOOTC_BRIDGE_H
#define BOOTC_BRIDGE_H

#include "Failure.h"

#include "bridge/src/ffi.cxxqt.h"

#include <QByteArray>
#include <QString>

namespace bootc
{

inline QString
fromRust( const ::rust::String& text )
{
    return QString::fromUtf8( text.data(), qsizetype( text.size() ) );
}

inline ::rust::Str
toRust( const QByteArray& utf8 )
{
    return { utf8.constData(), std::size_t( utf8.size() ) };
}

inline ErrorText
errorText( const ::bootc::Failure& failure )
{
    return { fromRust( failure.code ),
             fromRust( failure.what ),
             fromRust( failure.why ),
             fromRust( failure.next ),
             fromRust( failure.details ) };
}

}  // namespace bootc

#endif
