// SPDX-License-Identifier: GPL-3.0-or-later
#include "BootcViewStep.h"

#include "Closer.h"
#include "ConfigFile.h"
#include "StartingZone.h"
#include "StopDialog.h"
#include "Storage.h"

#include <GlobalStorage.h>
#include <JobQueue.h>
#include <Settings.h>
#include <ViewManager.h>
#include <modulesystem/ModuleManager.h>
#include <utils/Logger.h>
#include <utils/Retranslator.h>

#include <QCoreApplication>
#include <QEventLoop>
#include <QJsonDocument>
#include <QJsonObject>
#include <QQmlContext>
#include <QQmlEngine>
#include <QQuickItem>
#include <QQuickWidget>
#include <QThread>
#include <QTimer>

CALAMARES_PLUGIN_FACTORY_DEFINITION( BootcViewStepFactory, registerPlugin< BootcViewStep >(); )

namespace
{

constexpr double GIB = 1024.0 * 1024 * 1024;
/// Longer than any stock module that configures a deployment.
constexpr int STOP_LIMIT_MS = 120 * 1000;
/// Between the last word of Calamares' job thread and its end.
constexpr unsigned long THREAD_END_MS = 40;

bool
jobsRun()
{
    const auto* queue = Calamares::JobQueue::instance();
    return queue && queue->isRunning();
}

QJsonObject
object( const QString& json )
{
    return QJsonDocument::fromJson( json.toUtf8() ).object();
}

/// Name and version, as far as the image tells them.
QString
imageName( const QJsonObject& facts )
{
    const auto name = facts.value( "name" ).toString();
    return name.isEmpty() ? QString() : ( name + ' ' + facts.value( "version" ).toString() ).trimmed();
}

}  // namespace

BootcViewStep::BootcViewStep( QObject* parent )
    : Calamares::ViewStep( parent )
    , m_session( bootc::newSession( BOOTC_INSTALLER, Calamares::Settings::instance()->debugMode() ) )
    , m_installation( std::make_shared< bootc::Installation >( *m_session ) )
    , m_page( new bootc::ImagePage( this ) )
    , m_inhibitor( new bootc::SleepInhibitor( this ) )
{
    QCoreApplication::installTranslator( &m_translator );
    CALAMARES_RETRANSLATE_SLOT( &BootcViewStep::retranslate );
    connect( m_page,
             &bootc::ImagePage::validChanged,
             this,
             [ this ]
             {
                 emit nextStatusChanged( isNextEnabled() );
                 goOnWhenSkipping();
             } );
}

BootcViewStep::~BootcViewStep()
{
    m_page->stopCheck();
    QCoreApplication::removeTranslator( &m_translator );
    delete m_widget;
}

QString
BootcViewStep::prettyName() const
{
    return tr( "System", "@label" );
}

QString
BootcViewStep::prettyStatus() const
{
    const auto facts = object( m_page->getFacts() );
    if ( facts.isEmpty() )
    {
        const auto reference = bootc::fromRust( m_session->reference() );
        return tr( "Install %1.", "@info" ).arg( reference.toHtmlEscaped() );
    }
    const auto name = imageName( facts ).toHtmlEscaped();
    const auto imgref = facts.value( "imgref" ).toString().toHtmlEscaped();
    const auto digest = facts.value( "digest" ).toString().toHtmlEscaped();
    const auto install = name.isEmpty()
        ? tr( "Install <b>%1</b>.<br/>Digest: %2", "@info" ).arg( imgref, digest )
        : tr( "Install <b>%1</b> from %2.<br/>Digest: %3", "@info" ).arg( name, imgref, digest );
    const auto signature = facts.value( "signature" ).toObject();
    const auto verified = signature.value( "state" ).toString() == QLatin1String( "verified" );
    return install + QStringLiteral( "<br/>" )
        + ( verified ? tr( "Signature: verified", "@info" ) : tr( "Signature: not verified", "@info" ) );
}

QWidget*
BootcViewStep::widget()
{
    if ( !m_widget )
    {
        m_widget = new QQuickWidget;
        m_widget->setResizeMode( QQuickWidget::SizeRootObjectToView );
        m_widget->setFocusPolicy( Qt::StrongFocus );
        // The window's own background, which a style sheet may have set, shows through.
        m_widget->setAttribute( Qt::WA_TranslucentBackground );
        m_widget->setClearColor( Qt::transparent );
        m_widget->rootContext()->setContextProperty( "config", m_page );
        m_widget->setSource( QUrl( "qrc:/bootc/Page.qml" ) );
        for ( const auto& error : m_widget->errors() )
        {
            cError() << "The page cannot be shown:" << error.toString();
        }
    }
    return m_widget;
}

bool
BootcViewStep::isNextEnabled() const
{
    return m_page->getValid();
}

void
BootcViewStep::onActivate()
{
    const auto* manager = Calamares::ViewManager::instance();
    // currentStepChanged() comes after this: the last one told the step that is left now.
    const bool back = m_lastStep > manager->currentStepIndex();
    m_skipping = m_page->getSkipWhenValid() && !back;
    if ( m_page->getSkipWhenValid() && back && m_page->getValid() )
    {
        QTimer::singleShot( 0, Calamares::ViewManager::instance(), &Calamares::ViewManager::back );
        return;
    }
    if ( m_widget )
    {
        m_widget->setFocus();
        if ( auto* root = m_widget->rootObject() )
        {
            QMetaObject::invokeMethod( root, "takeFocus" );
        }
    }
    if ( m_page->getState() == QLatin1String( "unchecked" ) )
    {
        m_page->check();
    }
    goOnWhenSkipping();
}

void
BootcViewStep::goOnWhenSkipping()
{
    if ( m_skipping && m_page->getValid() )
    {
        m_skipping = false;
        QTimer::singleShot( 0, Calamares::ViewManager::instance(), &Calamares::ViewManager::next );
    }
}

void
BootcViewStep::onLeave()
{
    m_skipping = false;
    // For the partition page, which offers no disk that is too small.
    auto* storage = Calamares::JobQueue::instance()->globalStorage();
    const char* const key = "requiredStorageGiB";
    const double needed = double( m_session->spaceBytes() ) / GIB;
    if ( needed > storage->value( key ).toDouble() )
    {
        storage->insert( key, needed );
    }
}

Calamares::JobList
BootcViewStep::jobs() const
{
    m_installation->cancelled = false;
    m_inhibitor->take();
    connect( Calamares::JobQueue::instance(),
             &Calamares::JobQueue::finished,
             m_inhibitor,
             &bootc::SleepInhibitor::release,
             Qt::UniqueConnection );
    return bootc::installJobs( m_installation, m_session->isRemote() );
}

void
BootcViewStep::onCancel()
{
    m_page->stopCheck();
    if ( !jobsRun() || m_installation->cancelled )
    {
        return;
    }
    // When this returns, Calamares ends, and with it the thread of the jobs,
    // wherever it is. So it returns when the jobs have ended: ours at once, a
    // stock module by itself, and then bootccleanup closes the target.
    m_installation->cancelled = true;
    Calamares::JobQueue::instance()->globalStorage()->insert( bootc::key::cancelled, true );
    m_session->stop();
    waitForJobs();
}

void
BootcViewStep::waitForJobs()
{
    auto* queue = Calamares::JobQueue::instance();
    // The person knows: no dialog about the failure, no next page.
    disconnect( queue, nullptr, Calamares::ViewManager::instance(), nullptr );
    bootc::StopDialog dialog( m_widget ? m_widget->window() : nullptr );
    dialog.show();
    QEventLoop loop;
    connect( queue, &Calamares::JobQueue::finished, &loop, &QEventLoop::quit );
    QTimer::singleShot( STOP_LIMIT_MS, &loop, &QEventLoop::quit );
    loop.exec();
    if ( jobsRun() )
    {
        cWarning() << "A job does not end; the target is closed after Calamares.";
        bootc::closeTargetAfterUs( bootc::engineStorage( *queue->globalStorage() ) );
        return;
    }
    QThread::msleep( THREAD_END_MS );
}

Calamares::RequirementsList
BootcViewStep::checkRequirements()
{
    if ( bootc::fromRust( m_session->reference() ).isEmpty() || !m_session->isRemote() )
    {
        return {};
    }
    const auto failure = bootc::errorText( m_session->lookUp() );
    static const QStringList unreachable {
        "REGISTRY_HOST_UNKNOWN", "REGISTRY_UNREACHABLE", "NETWORK_INTERRUPTED", "CANCELLED"
    };
    return { {
        QStringLiteral( "bootcRegistry" ),
        [] { return tr( "can reach the registry, the server with the system to install", "@info" ); },
        [] { return tr( "The registry, the server with the system to install, cannot be reached.", "@info" ); },
        !unreachable.contains( failure.code ),
        // The network may be set up later; the page asks again.
        false,
    } };
}

void
BootcViewStep::setConfigurationMap( const QVariantMap& )
{
    m_page->configure( *m_session, bootc::configFile( moduleInstanceKey() ), m_translated );
    auto* manager = Calamares::ViewManager::instance();
    connect( manager,
             &Calamares::ViewManager::currentStepChanged,
             this,
             [ this, manager ] { m_lastStep = manager->currentStepIndex(); } );
    // Only now are all pages there.
    connect( Calamares::ModuleManager::instance(),
             &Calamares::ModuleManager::modulesLoaded,
             this,
             &bootc::startInCountryOfLanguage );
}

void
BootcViewStep::retranslate()
{
    const auto locale = Calamares::translatorLocaleName();
    // Loading texts tells everybody that the language has changed, us too.
    if ( locale.name == m_translated )
    {
        return;
    }
    m_translated = locale.name;
    Calamares::loadTranslator( locale, QStringLiteral( "calamares-bootc_" ), &m_translator );
    m_page->translate( m_translated );
    bootc::startInCountryOfLanguage();
    if ( m_widget )
    {
        m_widget->engine()->retranslate();
    }
}
