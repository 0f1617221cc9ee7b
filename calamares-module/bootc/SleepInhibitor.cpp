// SPDX-License-Identifier: GPL-3.0-or-later
#include "SleepInhibitor.h"

#include <utils/Logger.h>

#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>

namespace bootc
{

void
SleepInhibitor::take()
{
    m_wanted = true;
    auto bus = QDBusConnection::systemBus();
    if ( !bus.isConnected() )
    {
        cDebug() << "There is no system bus: nothing keeps the machine from sleeping.";
        return;
    }
    auto call = QDBusMessage::createMethodCall( QStringLiteral( "org.freedesktop.login1" ),
                                                QStringLiteral( "/org/freedesktop/login1" ),
                                                QStringLiteral( "org.freedesktop.login1.Manager" ),
                                                QStringLiteral( "Inhibit" ) );
    call << QStringLiteral( "sleep:shutdown:idle" ) << QStringLiteral( "Calamares" )
         << tr( "An operating system is being installed." ) << QStringLiteral( "block" );
    auto* watcher = new QDBusPendingCallWatcher( bus.asyncCall( call ), this );
    connect( watcher,
             &QDBusPendingCallWatcher::finished,
             this,
             [ this ]( QDBusPendingCallWatcher* done )
             {
                 const QDBusPendingReply< QDBusUnixFileDescriptor > reply = *done;
                 done->deleteLater();
                 if ( reply.isError() )
                 {
                     cWarning() << "Sleep is not inhibited:" << reply.error().message();
                 }
                 else if ( m_wanted )
                 {
                     m_lock = reply.value();
                 }
             } );
}

void
SleepInhibitor::release()
{
    m_wanted = false;
    m_lock = QDBusUnixFileDescriptor();
}

}  // namespace bootc
