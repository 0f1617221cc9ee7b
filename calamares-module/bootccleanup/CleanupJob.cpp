// SPDX-License-Identifier: GPL-3.0-or-later
#include "CleanupJob.h"

#include "Closer.h"
#include "Storage.h"

#include <GlobalStorage.h>
#include <JobQueue.h>

CALAMARES_PLUGIN_FACTORY_DEFINITION( CleanupJobFactory, registerPlugin< CleanupJob >(); )

CleanupJob::CleanupJob( QObject* parent )
    : Calamares::CppJob( parent )
{
}

QString
CleanupJob::prettyName() const
{
    return tr( "Finish the installation", "@label" );
}

QString
CleanupJob::prettyStatusMessage() const
{
    return tr( "Writing everything to the disk", "@status" );
}

Calamares::JobResult
CleanupJob::exec()
{
    auto* storage = Calamares::JobQueue::instance()->globalStorage();
    const bool installed = !storage->value( bootc::key::cancelled ).toBool();
    return bootc::closeTarget( bootc::engineStorage( *storage ), installed );
}
