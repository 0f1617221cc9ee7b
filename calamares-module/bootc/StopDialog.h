// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOOTC_STOPDIALOG_H
#define BOOTC_STOPDIALOG_H

#include <QDialog>

namespace bootc
{

/** @brief Shown while a cancelled installation is undone. Cannot be closed. */
class StopDialog : public QDialog
{
    Q_OBJECT
public:
    explicit StopDialog( QWidget* parent );

    /// Neither Escape nor the window's button ends it.
    void reject() override {}
};

}  // namespace bootc

#endif
