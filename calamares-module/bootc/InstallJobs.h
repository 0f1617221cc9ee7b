// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOOTC_INSTALLJOBS_H
#define BOOTC_INSTALLJOBS_H

#include <QMutex>
#include <QString>

#include <Job.h>

#include <atomic>
#include <cstdint>
#include <memory>

namespace bootc
{

struct Session;
struct Status;
enum class Stage : std::uint8_t;

/** @brief Shared by the view step and its jobs. */
struct Installation
{
    explicit Installation( Session& session )
        : session( session )
    {
    }

    Session& session;
    /// Set in the GUI thread when the person cancels; every job ends at it.
    std::atomic< bool > cancelled { false };
};

/** @brief One stage of the installation.
 *
 * The work is done by the engine, a process of its own, in one go; a job
 * follows its stage and ends with it. So the progress bar has four jobs to
 * weigh, and the engine keeps its connection, its caches and its clean-up.
 */
class StageJob : public Calamares::Job
{
    Q_OBJECT
public:
    StageJob( std::shared_ptr< Installation > installation, Stage stage, int weight );

    QString prettyName() const override;
    QString prettyStatusMessage() const override;
    int getJobWeight() const override { return m_weight; }
    Calamares::JobResult exec() override;

private:
    Calamares::JobResult begin();
    Calamares::JobResult finished( const Status& status );
    void show( const Status& status );

    const std::shared_ptr< Installation > m_installation;
    const Stage m_stage;
    const int m_weight;
    /// Read in the GUI thread while the job writes it.
    mutable QMutex m_mutex;
    QString m_status;
};

/// The jobs in their order, weighed for an image that is downloaded or not.
Calamares::JobList installJobs( std::shared_ptr< Installation > installation, bool remote );

}  // namespace bootc

#endif
