// SPDX-License-Identifier: GPL-3.0-or-later
#include "Closer.h"

#include "Failure.h"

#include <partition/Mount.h>
#include <utils/Logger.h>

#include <QCoreApplication>
#include <QDir>
#include <QJsonDocument>
#include <QProcess>

#include <sys/mman.h>
#include <unistd.h>

namespace
{

/// Closing waits for busy mounts and for the disk; slow sticks need minutes.
constexpr int LIMIT_MS = 15 * 60 * 1000;

const QString PROGRAM = QStringLiteral( BOOTC_INSTALLER );

QStringList
arguments( bool installed )
{
    QStringList list { "close", "--calamares", "-", "--events", "-" };
    if ( !installed )
    {
        list.append( "--no-trim" );
    }
    return list;
}

/// The last event of a run that failed.
QJsonObject
lastError( const QByteArray& events )
{
    for ( const auto& line : events.split( '\n' ) )
    {
        const auto event = QJsonDocument::fromJson( line ).object();
        if ( event.value( "type" ).toString() == QLatin1String( "Error" ) )
        {
            return event;
        }
    }
    return {};
}

/// Without the engine at least what Calamares mounted is unmounted.
void
unmountWithoutEngine( const QByteArray& storage )
{
    const auto root = QJsonDocument::fromJson( storage ).object().value( "rootMountPoint" ).toString();
    if ( !root.isEmpty() && Calamares::Partition::unmount( root, { "--recursive" } ) == 0 )
    {
        QDir().rmdir( root );
    }
}

}  // namespace

namespace bootc
{

Calamares::JobResult
closeTarget( const QByteArray& storage, bool installed )
{
    QProcess engine;
    engine.setProcessChannelMode( QProcess::ForwardedErrorChannel );
    engine.start( PROGRAM, arguments( installed ) );
    if ( !engine.waitForStarted() )
    {
        unmountWithoutEngine( storage );
        return jobResult( { "TOOL_MISSING",
                            QStringLiteral( "%1 cannot be started." ).arg( PROGRAM ),
                            "The package bootc-installer is missing or damaged.",
                            "Install the package bootc-installer, or use another installation medium.",
                            engine.errorString() } );
    }
    engine.write( storage );
    engine.closeWriteChannel();
    const bool ended = engine.waitForFinished( LIMIT_MS );
    if ( ended && engine.exitStatus() == QProcess::NormalExit && engine.exitCode() == 0 )
    {
        return Calamares::JobResult::ok();
    }
    const auto error = lastError( engine.readAllStandardOutput() );
    if ( error.isEmpty() )
    {
        return jobResult( { "FINISH_FAILED",
                            "The target could not be closed.",
                            "The target is still in use, or the disk reported an error while writing.",
                            "Do not switch the machine off before the disk is idle; see the details.",
                            engine.errorString() } );
    }
    return jobResult( ErrorText::fromJson( error ) );
}

bool
closeTargetAfterUs( const QByteArray& storage )
{
    // In memory: the process that reads it outlives this one.
    const int fd = memfd_create( "bootc-close", MFD_CLOEXEC );
    if ( fd < 0 || write( fd, storage.constData(), std::size_t( storage.size() ) ) != storage.size() )
    {
        cWarning() << "The target stays mounted: no memory to hand its description over.";
        return false;
    }
    QProcess engine;
    engine.setProgram( PROGRAM );
    engine.setArguments( arguments( false )
                         << "--after-pid" << QString::number( QCoreApplication::applicationPid() ) );
    engine.setStandardInputFile( QStringLiteral( "/proc/self/fd/%1" ).arg( fd ) );
    engine.setStandardOutputFile( QProcess::nullDevice() );
    const bool started = engine.startDetached();
    close( fd );
    return started;
}

}  // namespace bootc
