// SPDX-License-Identifier: GPL-3.0-or-later
#include "StartingZone.h"

#include <ViewManager.h>
#include <modulesystem/Module.h>
#include <modulesystem/ModuleManager.h>
#include <utils/Logger.h>
#include <viewpages/ViewStep.h>

#include <QFile>
#include <QHash>
#include <QLocale>
#include <QVariantMap>

namespace
{

/// The table from which the stock page takes its zones: country, place, zone, remark.
constexpr char ZONES[] = "/usr/share/zoneinfo/zone.tab";

/** @brief The zone in which most people of a country live; empty for an unknown one.
 *
 * It is the first of the table, but for countries that the table lists from east
 * to west.
 */
QString
zoneOf( const QString& country )
{
    static const QHash< QString, QString > most {
        { "AU", "Australia/Sydney" }, { "BR", "America/Sao_Paulo" }, { "CA", "America/Toronto" },
        { "RU", "Europe/Moscow" },    { "UA", "Europe/Kyiv" },       { "UZ", "Asia/Tashkent" },
    };
    QFile file( ZONES );
    QString first;
    if ( !file.open( QIODevice::ReadOnly | QIODevice::Text ) )
    {
        return first;
    }
    while ( !file.atEnd() )
    {
        const auto columns = QString::fromUtf8( file.readLine() ).trimmed().split( '\t' );
        if ( columns.size() < 3 || columns.at( 0 ) != country )
        {
            continue;
        }
        // An older table may have the zone by another name.
        if ( columns.at( 2 ) == most.value( country ) )
        {
            return columns.at( 2 );
        }
        if ( first.isEmpty() )
        {
            first = columns.at( 2 );
        }
    }
    return first;
}

bool
saysWhere( const QVariantMap& configuration )
{
    return configuration.contains( "region" ) || configuration.contains( "zone" )
        || configuration.contains( "geoip" ) || configuration.value( "useSystemTimezone" ).toBool();
}

}  // namespace

void
bootc::startInCountryOfLanguage()
{
    const auto steps = Calamares::ViewManager::instance()->viewSteps();
    for ( auto* step : steps )
    {
        const auto key = step->moduleInstanceKey();
        auto* module = Calamares::ModuleManager::instance()->moduleInstance( key );
        if ( key.module() != QLatin1String( "locale" ) || !module )
        {
            continue;
        }
        auto configuration = module->configurationMap();
        if ( saysWhere( configuration ) )
        {
            continue;
        }
        const auto zone = zoneOf( QLocale::territoryToCode( QLocale().territory() ) );
        const auto slash = zone.indexOf( '/' );
        // A language of no country, such as Esperanto, starts where the page wants.
        if ( slash > 0 )
        {
            configuration.insert( "region", zone.left( slash ) );
            configuration.insert( "zone", zone.mid( slash + 1 ) );
        }
        cDebug() << "The page of the location starts in" << zone << "for" << QLocale();
        step->setConfigurationMap( configuration );
    }
}
