// SPDX-License-Identifier: GPL-3.0-or-later
// Printed by `make generate` from what the engine reads: do not edit.
#ifndef BOOTC_STORAGEKEYS_H
#define BOOTC_STORAGEKEYS_H

namespace bootc
{

// clang-format off

/// Of the storage itself.
inline constexpr const char* STORAGE_KEYS[] = {
    "rootMountPoint",
    "bootcTargetRoot",
    "firmwareType",
    "efiSystemPartition",
    "bootLoader",
    "partitions",
    "partitionChoices",
    "mountOptionsList",
    "btrfsSubvolumes",
    "btrfsRootSubvolume",
    "keyboardLayout",
    "keyboardVariant",
    "keyboardVConsoleKeymap",
};

/// Of each partition.
inline constexpr const char* PARTITION_KEYS[] = {
    "device",
    "mountPoint",
    "fs",
    "uuid",
    "partuuid",
    "claimed",
    "luksMapperName",
    "luksUuid",
};

// clang-format on

}  // namespace bootc

#endif
