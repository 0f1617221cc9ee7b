// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOOTC_CLOSER_H
#define BOOTC_CLOSER_H

#include <Job.h>

#include <QByteArray>
#include <QString>

namespace bootc
{

/** @brief Closes the target by `bootc-installer close` and waits for it.
 *
 * @p storage is what engineStorage() gives. The target is only trimmed when it
 * @p holds a system.
 */
Calamares::JobResult closeTarget( const QByteArray& storage, bool installed );

/** @brief Has the target closed once this process has ended; does not wait.
 *
 * For when Calamares must end while a job still uses the target.
 */
bool closeTargetAfterUs( const QByteArray& storage );

}  // namespace bootc

#endif
