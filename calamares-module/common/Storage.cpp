// SPDX-License-Identifier: GPL-3.0-or-later
#include "Storage.h"

#include <GlobalStorage.h>

#include <QJsonDocument>
#include <QJsonObject>
#include <QVariantMap>

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

QVariantMap
ofPartition( const QVariantMap& partition )
{
    QVariantMap kept;
    for ( const auto* key : PARTITION_KEYS )
    {
        if ( partition.contains( key ) )
        {
            kept.insert( key, partition.value( key ) );
        }
    }
    return kept;
}

}  // namespace

namespace bootc
{

QByteArray
engineStorage( const Calamares::GlobalStorage& storage )
{
    QVariantMap kept;
    for ( const auto* key : KEYS )
    {
        if ( storage.contains( key ) )
        {
            kept.insert( key, storage.value( key ) );
        }
    }
    if ( kept.contains( "partitions" ) )
    {
        QVariantList partitions;
        for ( const auto& partition : kept.value( "partitions" ).toList() )
        {
            partitions.append( ofPartition( partition.toMap() ) );
        }
        kept.insert( "partitions", partitions );
    }
    return QJsonDocument( QJsonObject::fromVariantMap( kept ) ).toJson( QJsonDocument::Compact );
}

}  // namespace bootc
