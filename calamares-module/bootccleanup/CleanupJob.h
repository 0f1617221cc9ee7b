// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOOTC_CLEANUPJOB_H
#define BOOTC_CLEANUPJOB_H

#include <CppJob.h>
#include <DllMacro.h>
#include <utils/PluginFactory.h>

/** @brief The last job: closes the target.
 *
 * An emergency job, so it also runs after a failure. Everything it must undo
 * is found by `bootc-installer close`, from its own state file and from global
 * storage.
 */
class PLUGINDLLEXPORT CleanupJob : public Calamares::CppJob
{
    Q_OBJECT
public:
    explicit CleanupJob( QObject* parent = nullptr );

    QString prettyName() const override;
    QString prettyStatusMessage() const override;
    Calamares::JobResult exec() override;
};

CALAMARES_PLUGIN_FACTORY_DECLARATION( CleanupJobFactory )

#endif
