// SPDX-License-Identifier: GPL-3.0-or-later
#include "Translator.h"

#include <cstring>

namespace bootc
{

QString
Translator::translate( const char* context, const char* sourceText, const char* disambiguation, int n ) const
{
    if ( qstrcmp( context, "FinishedPage" ) != 0 || !std::strstr( sourceText, "Live environment" ) )
    {
        return QTranslator::translate( context, sourceText, disambiguation, n );
    }
    // %1 and %2 are the names of the product. The medium is in use until the end.
    const char* const ours = QT_TR_NOOP( "<h1>All done.</h1><br/>"
                                         "%1 has been installed on your computer.<br/>"
                                         "Restart, and take the installation medium out as soon as the screen "
                                         "goes dark: then %2 starts from the disk." );
    // Not by tr(), which holds a lock while it asks translators.
    const auto translation = QTranslator::translate( "bootc::Translator", ours );
    return translation.isEmpty() ? QString::fromUtf8( ours ) : translation;
}

}  // namespace bootc
