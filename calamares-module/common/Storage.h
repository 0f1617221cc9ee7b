// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOOTC_STORAGE_H
#define BOOTC_STORAGE_H

#include <QByteArray>

namespace Calamares
{
class GlobalStorage;
}

namespace bootc
{

/** @brief Keys of global storage that are ours. */
namespace key
{
/// Mount point of the target's root file system; `rootMountPoint` is the deployment after the hand-over.
inline constexpr char targetRoot[] = "bootcTargetRoot";
/// True once the installation was cancelled: nothing more is written.
inline constexpr char cancelled[] = "bootcCancelled";
}  // namespace key

/** @brief What the engine needs of global storage, as JSON.
 *
 * The one place where global storage becomes text: passphrases, which it
 * holds in clear, stay behind.
 */
QByteArray engineStorage( const Calamares::GlobalStorage& storage );

}  // namespace bootc

#endif
