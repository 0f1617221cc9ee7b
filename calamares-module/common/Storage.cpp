// SPDX-License-Identifier: GPL-3.0-or-later
#include "Storage.h"

#include <GlobalStorage.h>

#include <QJsonDocument>
#include <QJsonObject>

namespace
{

const char* const KEYS[] = {
    "rootMountPoint",   bootc::key::targetRoot, "firmwareType",         "efiSystemPartition", "bootLoader",
    "partitions",       "partitionChoices",     "mountOptionsList",     "btrfsSubvolumes",    "btrfsRootSubvolume",
    "keyboardLayout",   "keyboardVariant",      "keyboardVConsoleKeymap", "luksFileSystemType",
};

const char* const PARTITION_KEYS[] = {
    "device", "mountPoint", "fs",       "fsName",         "uuid",     "partuuid",
    "partlabel", "parttype", "claimed", "luksMapperName", "luksUuid",
};

template < std::size_t N >
QVariantMap
only( const QVariantMap& map, const char* const ( &keys )[ N ] )
{
    QVariantMap kept;
    for ( const auto* key : keys )
    {
        if ( map.contains( key ) )
        {
            kept.insert( key, map.value( key ) );
        }
    }
    return kept;
}

}  // namespace

namespace bootc
{

QByteArray
engineStorage( const QVariantMap& storage )
{
    auto kept = only( storage, KEYS );
    if ( kept.contains( "partitions" ) )
    {
        QVariantList partitions;
        for ( const auto& partition : kept.value( "partitions" ).toList() )
        {
            partitions.append( only( partition.toMap(), PARTITION_KEYS ) );
        }
        kept.insert( "partitions", partitions );
    }
    return QJsonDocument( QJsonObject::fromVariantMap( kept ) ).toJson( QJsonDocument::Compact );
}

QByteArray
engineStorage( const Calamares::GlobalStorage& storage )
{
    QVariantMap map;
    for ( const auto* key : KEYS )
    {
        if ( storage.contains( key ) )
        {
            map.insert( key, storage.value( key ) );
        }
    }
    return engineStorage( map );
}

}  // namespace bootc
