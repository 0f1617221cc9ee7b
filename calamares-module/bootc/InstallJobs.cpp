// SPDX-License-Identifier: GPL-3.0-or-later
#include "InstallJobs.h"

#include "Bridge.h"
#include "Failure.h"
#include "ProgressText.h"
#include "Storage.h"

#include <GlobalStorage.h>
#include <JobQueue.h>
#include <utils/Logger.h>

#include <QMutexLocker>
#include <QThread>

namespace
{

/// Each step of the bar is a repaint, so not more often.
constexpr unsigned long POLL_MS = 100;

/// Shares of the stages in percent, from measured installations
/// (docs/benchmarks.md), of an image that is downloaded or not.
int
weight( bootc::Stage stage, bool remote )
{
    using bootc::Stage;
    switch ( stage )
    {
    case Stage::Fetch:
        return remote ? 50 : 18;
    case Stage::Deploy:
        return remote ? 42 : 72;
    case Stage::Configure:
        return remote ? 6 : 8;
    case Stage::HandOver:
        return 2;
    }
    return 0;
}

Calamares::GlobalStorage*
globalStorage()
{
    return Calamares::JobQueue::instance()->globalStorage();
}

}  // namespace

namespace bootc
{

StageJob::StageJob( std::shared_ptr< Installation > installation, Stage stage, int weight )
    : m_installation( std::move( installation ) )
    , m_stage( stage )
    , m_weight( weight )
{
}

QString
StageJob::prettyName() const
{
    switch ( m_stage )
    {
    case Stage::Fetch:
        return tr( "Download the image", "@label" );
    case Stage::Deploy:
        return tr( "Install the image", "@label" );
    case Stage::Configure:
        return tr( "Install the boot loader", "@label" );
    case Stage::HandOver:
        return tr( "Prepare the settings", "@label" );
    }
    return {};
}

QString
StageJob::prettyStatusMessage() const
{
    QMutexLocker lock( &m_mutex );
    return m_status;
}

Calamares::JobResult
StageJob::exec()
{
    if ( m_stage == Stage::Fetch )
    {
        if ( auto result = begin(); !result )
        {
            return result;
        }
    }
    // The thread may be waited for, but never be stopped, in Rust code: so it
    // waits here.
    for ( ;; )
    {
        if ( m_installation->cancelled )
        {
            m_installation->session.stop();
        }
        const auto status = m_installation->session.status();
        if ( status.ended )
        {
            return finished( status );
        }
        if ( status.stage > m_stage )
        {
            return Calamares::JobResult::ok();
        }
        show( status );
        QThread::msleep( POLL_MS );
    }
}

Calamares::JobResult
StageJob::begin()
{
    if ( m_installation->cancelled )
    {
        return Calamares::JobResult::error( tr( "The installation was cancelled." ) );
    }
    auto* storage = globalStorage();
    storage->insert( key::targetRoot, storage->value( "rootMountPoint" ) );
    m_installation->session.start( toRust( engineStorage( *storage ) ) );
    return Calamares::JobResult::ok();
}

Calamares::JobResult
StageJob::finished( const Status& status )
{
    // Several stages may find the engine at its end: the failed or the last one tells.
    if ( status.failed || m_stage == Stage::HandOver )
    {
        const auto warnings = fromRust( m_installation->session.warnings() );
        for ( const auto& warning : warnings.split( '\n', Qt::SkipEmptyParts ) )
        {
            cWarning() << "bootc-installer:" << warning;
        }
    }
    if ( status.failed )
    {
        const auto error = errorText( status.failure );
        cError() << "bootc-installer:" << error.code << error.what << error.details;
        return jobResult( error );
    }
    if ( m_stage == Stage::HandOver )
    {
        // From here on the stock modules work in the deployment.
        globalStorage()->insert( "rootMountPoint", fromRust( status.root ) );
    }
    return Calamares::JobResult::ok();
}

void
StageJob::show( const Status& status )
{
    const auto text = ProgressText::of( status, QLocale() ).toHtmlEscaped();
    {
        QMutexLocker lock( &m_mutex );
        m_status = text;
    }
    if ( status.stage == m_stage )
    {
        emit progress( status.fraction );
    }
}

Calamares::JobList
installJobs( std::shared_ptr< Installation > installation, bool remote )
{
    Calamares::JobList jobs;
    for ( auto stage : { Stage::Fetch, Stage::Deploy, Stage::Configure, Stage::HandOver } )
    {
        jobs.append( Calamares::job_ptr( new StageJob( installation, stage, weight( stage, remote ) ) ) );
    }
    return jobs;
}

}  // namespace bootc
