// SPDX-License-Identifier: GPL-3.0-or-later
#ifndef BOOTC_STARTINGZONE_H
#define BOOTC_STARTINGZONE_H

namespace bootc
{

/** @brief Has the stock page "locale" start in the country of the language.
 *
 * The stock page reads where its pin starts before a language can be chosen, so
 * that its configuration can name only one place for everybody. Called whenever
 * the language has changed. Nothing happens once the pin was placed (the page
 * keeps it then), and nothing when locale.conf says where it starts.
 */
void startInCountryOfLanguage();

}  // namespace bootc

#endif
