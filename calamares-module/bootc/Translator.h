// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOOTC_TRANSLATOR_H
#define BOOTC_TRANSLATOR_H

#include <QTranslator>

namespace bootc
{

/** @brief Our texts, and one of Calamares' own that is not true here.
 *
 * The stock module `finished` offers to go on using a live environment, which an
 * installation medium does not have, and nothing but a translation can change
 * its text. The translator that was installed last is asked first, so that this
 * one wins over Calamares', in every language.
 */
class Translator : public QTranslator
{
    Q_OBJECT
public:
    using QTranslator::QTranslator;

    QString translate( const char* context,
                       const char* sourceText,
                       const char* disambiguation = nullptr,
                       int n = -1 ) const override;
};

}  // namespace bootc

#endif
