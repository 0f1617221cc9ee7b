// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOOTC_SLEEPINHIBITOR_H
#define BOOTC_SLEEPINHIBITOR_H

#include <QDBusUnixFileDescriptor>
#include <QObject>

namespace bootc
{

/** @brief Keeps the machine awake while it installs.
 *
 * Calamares 3.3.14 asks logind only when it has an inhibitor already, that is,
 * never. See systemd-inhibit(1) and org.freedesktop.login1(5).
 */
class SleepInhibitor : public QObject
{
    Q_OBJECT
public:
    using QObject::QObject;

    /// Asks logind, without waiting for its answer; where there is none, nothing happens.
    void take();
    void release();

private:
    /// The inhibition lasts as long as this is open.
    QDBusUnixFileDescriptor m_lock;
    bool m_wanted = false;
};

}  // namespace bootc

#endif
