// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOOTC_BOOTCVIEWSTEP_H
#define BOOTC_BOOTCVIEWSTEP_H

#include "Bridge.h"
#include "InstallJobs.h"
#include "SleepInhibitor.h"
#include "Translator.h"

#include <DllMacro.h>
#include <utils/PluginFactory.h>
#include <viewpages/ViewStep.h>

#include <QPointer>

class QQuickWidget;

/** @brief The page on which the image is chosen, and the jobs that install it.
 *
 * The page is QML over a QObject in Rust (bootc::ImagePage); this class only
 * joins them to Calamares.
 */
class PLUGINDLLEXPORT BootcViewStep : public Calamares::ViewStep
{
    Q_OBJECT
public:
    explicit BootcViewStep( QObject* parent = nullptr );
    ~BootcViewStep() override;

    QString prettyName() const override;
    QString prettyStatus() const override;
    QWidget* widget() override;

    bool isNextEnabled() const override;
    bool isBackEnabled() const override { return true; }
    bool isAtBeginning() const override { return true; }
    bool isAtEnd() const override { return true; }

    void onActivate() override;
    void onLeave() override;
    void onCancel() override;

    Calamares::JobList jobs() const override;
    Calamares::RequirementsList checkRequirements() override;
    void setConfigurationMap( const QVariantMap& map ) override;

private:
    void retranslate();
    void goOnWhenSkipping();
    void waitForJobs();

    rust::Box< bootc::Session > m_session;
    std::shared_ptr< bootc::Installation > m_installation;
    bootc::ImagePage* m_page;
    bootc::SleepInhibitor* m_inhibitor;
    QPointer< QQuickWidget > m_widget;
    bootc::Translator m_translator;
    /// Locale whose texts m_translator holds.
    QString m_translated;
    /// The page that was shown before: whether the person goes on or back.
    int m_lastStep = -1;
    bool m_skipping = false;
};

CALAMARES_PLUGIN_FACTORY_DECLARATION( BootcViewStepFactory )

#endif
