// SPDX-License-Identifier: MIT OR Apache-2.0
//! What of Calamares' global storage is read. The plugin hands over these keys and
//! no others (`StorageKeys.h` is printed from here), since among the others are
//! passphrases; and what is not here is not read.

/// Keys of the storage itself.
pub const STORAGE_KEYS: [&str; 13] = [
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
];

/// Keys of each of `partitions`.
pub const PARTITION_KEYS: [&str; 8] = [
    "device",
    "mountPoint",
    "fs",
    "uuid",
    "partuuid",
    "claimed",
    "luksMapperName",
    "luksUuid",
];
