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
    const bool counted = status.bytes_total > 0;
    QStringList parts { ofTask( status, locale ) };
    if ( status.rate > 0 && status.task == Task::Pull )
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

QString
ProgressText::ofTask( const Status& status, const QLocale& locale )
{
    const auto done = size( locale, status.bytes );
    const auto total = size( locale, status.bytes_total );
    const bool counted = status.bytes_total > 0;

    switch ( status.task )
    {
    case Task::Check:
        return tr( "Checking the image and the disk", "@status" );
    case Task::Partition:
        return tr( "Partitioning the disk", "@status" );
    case Task::Prepare:
        return tr( "Preparing the disk", "@status" );
    case Task::Pull:
        return counted ? tr( "Downloading %1 of %2", "@status" ).arg( done, total )
                       : tr( "Downloading the image", "@status" );
    case Task::Unpack:
        return counted ? tr( "Unpacking %1 of %2", "@status" ).arg( done, total )
                       : tr( "Unpacking the image", "@status" );
    case Task::Deploy:
        return counted ? tr( "Installing %1 of %2", "@status" ).arg( done, total )
                       : tr( "Installing the image", "@status" );
    case Task::Boot:
        return tr( "Installing the boot loader", "@status" );
    case Task::Configure:
        return tr( "Configuring the system", "@status" );
    case Task::Handover:
        return tr( "Preparing the settings", "@status" );
    case Task::Finish:
        return tr( "Writing everything to the disk", "@status" );
    case Task::Unknown:
        break;
    }
    return tr( "The installation is running", "@status" );
}

}  // namespace bootc
