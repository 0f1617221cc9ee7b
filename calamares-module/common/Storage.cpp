// SPDX-License-Identifier: GPL-3.0-or-later
#include "Storage.h"

#include "StorageKeys.h"

#include <GlobalStorage.h>

#include <QJsonDocument>
#include <QJsonObject>
#include <QVariantMap>

#include <cstddef>

namespace
{

/// What is there of these keys.
template < std::size_t N, typename Map >
QVariantMap
only( const char* const ( &keys )[ N ], const Map& map )
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
engineStorage( const Calamares::GlobalStorage& storage )
{
    auto kept = only( STORAGE_KEYS, storage );
    if ( kept.contains( "partitions" ) )
    {
        QVariantList partitions;
        for ( const auto& partition : kept.value( "partitions" ).toList() )
        {
            partitions.append( only( PARTITION_KEYS, partition.toMap() ) );
        }
        kept.insert( "partitions", partitions );
    }
    return QJsonDocument( QJsonObject::fromVariantMap( kept ) ).toJson( QJsonDocument::Compact );
}

}  // namespace bootc
