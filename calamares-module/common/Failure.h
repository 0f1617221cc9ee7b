// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOOTC_FAILURE_H
#define BOOTC_FAILURE_H

#include <QJsonObject>
#include <QString>

#include <Job.h>

namespace bootc
{

/** @brief An error of the engine as a person is told it. */
struct ErrorText
{
    QString code;
    QString what;
    QString why;
    QString next;
    QString details;

    /// From an error in JSON, see docs/formats.md.
    static ErrorText fromJson( const QJsonObject& error );
};

/** @brief The sentence in the person's language.
 *
 * @p text is English. Sentences that belong to a code are translated as they
 * are; a `what` names things, so in other languages the code's own sentence
 * stands in its place and the English one goes to the details.
 */
QString translatedWhat( const ErrorText& error );
/// A `why` or `next` in the person's language.
QString translated( const QString& text );

/// For Calamares' dialog, which shows the message as rich text and the details as plain text.
Calamares::JobResult jobResult( const ErrorText& error );

}  // namespace bootc

#endif
