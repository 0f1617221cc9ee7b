// SPDX-License-Identifier: GPL-3.0-or-later
#include "ProgressText.h"

#include "bridge/src/ffi.cxxqt.h"

#include <QStringList>

namespace
{
/// Sizes are spoken of in powers of 1000, as everywhere in this installer.
QString
size( const QLocale& locale, quint64 bytes )
{
    return locale.formattedDataSize( qint64( bytes ), bytes < 10'000'000'000 ? 0 : 1, QLocale::DataSizeSIFormat );
}
}  // namespace

namespace bootc
{

QString
ProgressText::of( const Status& status, const QLocale& locale )
{
    const auto task = QString::fromUtf8( status.task.data(), qsizetype( status.task.size() ) );
    const auto done = size( locale, status.bytes );
    const auto total = size( locale, status.bytes_total );
    const bool counted = status.bytes_total > 0;

    QStringList parts;
    if ( task == QLatin1String( "check" ) )
    {
        parts.append( tr( "Checking the image and the disk", "@status" ) );
    }
    else if ( task == QLatin1String( "prepare" ) )
    {
        parts.append( tr( "Preparing the disk", "@status" ) );
    }
    else if ( task == QLatin1String( "pull" ) )
    {
        parts.append( counted ? tr( "Downloading %1 of %2", "@status" ).arg( done, total )
                              : tr( "Downloading the image", "@status" ) );
    }
    else if ( task == QLatin1String( "unpack" ) )
    {
        parts.append( counted ? tr( "Unpacking %1 of %2", "@status" ).arg( done, total )
                              : tr( "Unpacking the image", "@status" ) );
    }
    else if ( task == QLatin1String( "deploy" ) )
    {
        parts.append( counted ? tr( "Installing %1 of %2", "@status" ).arg( done, total )
                              : tr( "Installing the image", "@status" ) );
    }
    else if ( task == QLatin1String( "boot" ) )
    {
        parts.append( tr( "Installing the boot loader", "@status" ) );
    }
    else if ( task == QLatin1String( "configure" ) )
    {
        parts.append( tr( "Configuring the system", "@status" ) );
    }
    else
    {
        parts.append( tr( "Preparing the settings", "@status" ) );
    }
    if ( status.rate > 0 && task == QLatin1String( "pull" ) )
    {
        parts.append( tr( "%1/s", "data rate" ).arg( size( locale, status.rate ) ) );
    }
    if ( counted && status.eta > 0 )
    {
        parts.append( status.eta < 90 ? tr( "%n s left", "seconds", int( status.eta ) )
                                      : tr( "%n min left", "minutes", int( ( status.eta + 30 ) / 60 ) ) );
    }
    return parts.join( QStringLiteral( " · " ) );
}

}  // namespace bootc
