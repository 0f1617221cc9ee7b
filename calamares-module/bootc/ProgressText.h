// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOOTC_PROGRESSTEXT_H
#define BOOTC_PROGRESSTEXT_H

#include <QCoreApplication>
#include <QLocale>
#include <QString>

namespace bootc
{

struct Status;

/** @brief The line below the progress bar: what happens, how far, how long still. */
class ProgressText
{
    Q_DECLARE_TR_FUNCTIONS( ProgressText )
public:
    /// For example "Downloading 412 MB of 1.1 GB · 23 MB/s · 30 s left".
    static QString of( const Status& status, const QLocale& locale );

private:
    static QString ofTask( const Status& status, const QLocale& locale );
};

}  // namespace bootc

#endif
