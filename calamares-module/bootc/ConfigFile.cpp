// SPDX-License-Identifier: GPL-3.0-or-later
#include "ConfigFile.h"

#include <Settings.h>
#include <utils/Dirs.h>

#include <QDir>
#include <QFileInfo>

namespace
{

QString
fileName( const Calamares::ModuleSystem::InstanceKey& instance )
{
    for ( const auto& description : Calamares::Settings::instance()->moduleInstances() )
    {
        if ( description.key() == instance && !description.configFileName().isEmpty() )
        {
            return description.configFileName();
        }
    }
    return instance.module() + QStringLiteral( ".conf" );
}

/// In the order in which Calamares looks.
QStringList
directories()
{
    const auto data = Calamares::appDataDir().absoluteFilePath( "modules" );
    if ( Calamares::isAppDataDirOverridden() )
    {
        return { data };
    }
    QStringList list;
    if ( Calamares::haveExtraDirs() )
    {
        for ( const auto& directory : Calamares::extraConfigDirs() )
        {
            list.append( directory + QStringLiteral( "modules" ) );
        }
    }
    list.append( QStringLiteral( "/etc/calamares/modules" ) );
    list.append( data );
    return list;
}

}  // namespace

namespace bootc
{

QString
configFile( const Calamares::ModuleSystem::InstanceKey& instance )
{
    const auto name = fileName( instance );
    for ( const auto& directory : directories() )
    {
        const QFileInfo file( QDir( directory ), name );
        if ( file.isFile() )
        {
            return file.absoluteFilePath();
        }
    }
    return {};
}

}  // namespace bootc
