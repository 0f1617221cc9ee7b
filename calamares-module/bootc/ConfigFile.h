// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOOTC_CONFIGFILE_H
#define BOOTC_CONFIGFILE_H

#include <modulesystem/InstanceKey.h>

#include <QString>

namespace bootc
{

/** @brief Path of the configuration file that Calamares read for this instance.
 *
 * Calamares hands out what it parsed, not where that is; the engine reads the
 * file itself, so that its errors name a line and secrets in it are not passed
 * around. Empty when there is none.
 */
QString configFile( const Calamares::ModuleSystem::InstanceKey& instance );

}  // namespace bootc

#endif
