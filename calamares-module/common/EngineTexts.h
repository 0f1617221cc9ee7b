// SPDX-License-Identifier: GPL-3.0-or-later
// Printed by `make generate` from the engine's sources: do not edit.
#ifndef BOOTC_ENGINETEXTS_H
#define BOOTC_ENGINETEXTS_H

/* Sentences of the engine that a person can meet, for lupdate.
 *
 * They come from the engine as they stand here and are looked up when they are
 * shown (Failure.cpp, Failure.qml). That none is without a translation is tested
 * by tests/generate/tests/texts.rs. One line for each.
 */

#include <QtGlobal>

namespace bootc
{

// clang-format off

/* What failed, by code. English shows the engine's own sentence, which names
 * things; a translation is a whole sentence, as the comment says it.
 */
inline constexpr const char* CODES[] = {
    //: As a sentence: The command line cannot be carried out as given.
    QT_TRANSLATE_NOOP( "Engine", "USAGE" ),
    //: As a sentence: A configuration file is missing, unreadable or has wrong keys or values.
    QT_TRANSLATE_NOOP( "Engine", "CONFIG_INVALID" ),
    //: As a sentence: The recipe of the installation cannot be read.
    QT_TRANSLATE_NOOP( "Engine", "RECIPE_UNREADABLE" ),
    //: As a sentence: The recipe is another one than its hash says.
    QT_TRANSLATE_NOOP( "Engine", "RECIPE_MISMATCH" ),
    //: As a sentence: A plan is not valid JSON, of another version, or contradicts itself.
    QT_TRANSLATE_NOOP( "Engine", "PLAN_INVALID" ),
    //: As a sentence: Calamares' global storage does not have the documented shape.
    QT_TRANSLATE_NOOP( "Engine", "CALAMARES_INVALID" ),
    //: As a sentence: An image reference cannot be parsed.
    QT_TRANSLATE_NOOP( "Engine", "IMAGE_REF_INVALID" ),
    //: As a sentence: A secret cannot be read from where the plan says it is.
    QT_TRANSLATE_NOOP( "Engine", "SECRET_UNREADABLE" ),
    //: As a sentence: The program needs rights that it does not have.
    QT_TRANSLATE_NOOP( "Engine", "NOT_ROOT" ),
    //: As a sentence: A command that a later step runs is not there.
    QT_TRANSLATE_NOOP( "Engine", "TOOL_MISSING" ),
    //: As a sentence: The registry's name cannot be resolved.
    QT_TRANSLATE_NOOP( "Engine", "REGISTRY_HOST_UNKNOWN" ),
    //: As a sentence: The registry's machine does not accept the connection.
    QT_TRANSLATE_NOOP( "Engine", "REGISTRY_UNREACHABLE" ),
    //: As a sentence: The registry's certificate is not trusted, or it speaks no TLS.
    QT_TRANSLATE_NOOP( "Engine", "REGISTRY_TLS" ),
    //: As a sentence: This machine's settings forbid the registry or repository.
    QT_TRANSLATE_NOOP( "Engine", "REGISTRY_BLOCKED" ),
    //: As a sentence: The registry wants credentials and none were given.
    QT_TRANSLATE_NOOP( "Engine", "REGISTRY_AUTH_REQUIRED" ),
    //: As a sentence: The registry refused the given credentials.
    QT_TRANSLATE_NOOP( "Engine", "REGISTRY_AUTH" ),
    //: As a sentence: The registry limits the number of pulls, and the limit is reached.
    QT_TRANSLATE_NOOP( "Engine", "REGISTRY_RATE_LIMITED" ),
    //: As a sentence: The registry has the image and does not give it out.
    QT_TRANSLATE_NOOP( "Engine", "REGISTRY_REFUSED" ),
    //: As a sentence: No such repository or tag.
    QT_TRANSLATE_NOOP( "Engine", "IMAGE_NOT_FOUND" ),
    //: As a sentence: The image exists, but not for this machine's architecture.
    QT_TRANSLATE_NOOP( "Engine", "IMAGE_NO_PLATFORM" ),
    //: As a sentence: Downloaded bytes are not the ones the manifest names.
    QT_TRANSLATE_NOOP( "Engine", "DIGEST_MISMATCH" ),
    //: As a sentence: The image has no signature, and one is demanded.
    QT_TRANSLATE_NOOP( "Engine", "IMAGE_NOT_SIGNED" ),
    //: As a sentence: The image has signatures, and none is the one that is demanded.
    QT_TRANSLATE_NOOP( "Engine", "SIGNATURE_INVALID" ),
    //: As a sentence: The policy for signatures rejects the image or cannot be applied.
    QT_TRANSLATE_NOOP( "Engine", "SIGNATURE_POLICY" ),
    //: As a sentence: The connection was lost and retries did not help.
    QT_TRANSLATE_NOOP( "Engine", "NETWORK_INTERRUPTED" ),
    //: As a sentence: The registry answered something that is no valid manifest, config or layout.
    QT_TRANSLATE_NOOP( "Engine", "REGISTRY_MALFORMED" ),
    //: As a sentence: The local OCI layout given as the source is unusable.
    QT_TRANSLATE_NOOP( "Engine", "SOURCE_INVALID" ),
    //: As a sentence: The image cannot be installed with bootc, or would not boot.
    QT_TRANSLATE_NOOP( "Engine", "IMAGE_NOT_BOOTABLE" ),
    //: As a sentence: The image's layers cannot be unpacked.
    QT_TRANSLATE_NOOP( "Engine", "UNPACK_FAILED" ),
    //: As a sentence: The target is not a mount point.
    QT_TRANSLATE_NOOP( "Engine", "TARGET_NOT_MOUNTED" ),
    //: As a sentence: The target is a part of another file system or of the running system.
    QT_TRANSLATE_NOOP( "Engine", "TARGET_NOT_OWN_FILESYSTEM" ),
    //: As a sentence: The target holds something.
    QT_TRANSLATE_NOOP( "Engine", "TARGET_NOT_EMPTY" ),
    //: As a sentence: An installation onto this target ended before its time.
    QT_TRANSLATE_NOOP( "Engine", "TARGET_INTERRUPTED" ),
    //: As a sentence: The target's file system type cannot carry a deployment.
    QT_TRANSLATE_NOOP( "Engine", "TARGET_FILESYSTEM" ),
    //: As a sentence: It cannot be told what is on a partition.
    QT_TRANSLATE_NOOP( "Engine", "TARGET_AMBIGUOUS" ),
    //: As a sentence: The target is too small for the image.
    QT_TRANSLATE_NOOP( "Engine", "TARGET_TOO_SMALL" ),
    //: As a sentence: The target is mounted read-only or cannot be written.
    QT_TRANSLATE_NOOP( "Engine", "TARGET_READ_ONLY" ),
    //: As a sentence: The disk is in use.
    QT_TRANSLATE_NOOP( "Engine", "DISK_IN_USE" ),
    //: As a sentence: The disk holds something.
    QT_TRANSLATE_NOOP( "Engine", "DISK_NOT_EMPTY" ),
    //: As a sentence: What is named is no disk that can be partitioned.
    QT_TRANSLATE_NOOP( "Engine", "DISK_UNUSABLE" ),
    //: As a sentence: No disk of this machine fits.
    QT_TRANSLATE_NOOP( "Engine", "DISK_NOT_FOUND" ),
    //: As a sentence: Several disks of this machine fit, and none is chosen.
    QT_TRANSLATE_NOOP( "Engine", "DISK_AMBIGUOUS" ),
    //: As a sentence: The file that is to be made is there already.
    QT_TRANSLATE_NOOP( "Engine", "FILE_EXISTS" ),
    //: As a sentence: The disk could not be partitioned, or a file system could not be made.
    QT_TRANSLATE_NOOP( "Engine", "PARTITION_FAILED" ),
    //: As a sentence: There is no place for a boot loader that this machine could start.
    QT_TRANSLATE_NOOP( "Engine", "BOOT_NO_PLACE" ),
    //: As a sentence: The boot loader would have to read an encrypted partition.
    QT_TRANSLATE_NOOP( "Engine", "BOOT_ENCRYPTED" ),
    //: As a sentence: The boot loader could not be installed.
    QT_TRANSLATE_NOOP( "Engine", "BOOTLOADER_FAILED" ),
    //: As a sentence: The target filled up.
    QT_TRANSLATE_NOOP( "Engine", "DISK_FULL" ),
    //: As a sentence: bootc itself failed.
    QT_TRANSLATE_NOOP( "Engine", "BOOTC_FAILED" ),
    //: As a sentence: The deployment was made but could not be configured.
    QT_TRANSLATE_NOOP( "Engine", "DEPLOYMENT_FAILED" ),
    //: As a sentence: The image cannot be customised as the plan wants.
    QT_TRANSLATE_NOOP( "Engine", "CUSTOMISE_UNSUPPORTED" ),
    //: As a sentence: Users, files or units could not be added to the deployment.
    QT_TRANSLATE_NOOP( "Engine", "CUSTOMISE_FAILED" ),
    //: As a sentence: The deployment cannot be handed over to other programs.
    QT_TRANSLATE_NOOP( "Engine", "HANDOVER_UNSUPPORTED" ),
    //: As a sentence: A deployment is handed over already, and its owner is still there.
    QT_TRANSLATE_NOOP( "Engine", "HANDOVER_ACTIVE" ),
    //: As a sentence: The deployment was made but could not be handed over.
    QT_TRANSLATE_NOOP( "Engine", "HANDOVER_FAILED" ),
    //: As a sentence: Closing the target failed.
    QT_TRANSLATE_NOOP( "Engine", "FINISH_FAILED" ),
    //: As a sentence: Stopped by the person, a signal, or the end of the calling program.
    QT_TRANSLATE_NOOP( "Engine", "CANCELLED" ),
    //: As a sentence: An operation of the operating system failed in a way no other code tells.
    QT_TRANSLATE_NOOP( "Engine", "IO" ),
    //: As a sentence: A fault of this program.
    QT_TRANSLATE_NOOP( "Engine", "INTERNAL" ),
};

// Usual causes and next steps of the codes.
inline constexpr const char* CAUSES_AND_STEPS[] = {
    QT_TRANSLATE_NOOP( "Engine", "The options do not fit together." ),
    QT_TRANSLATE_NOOP( "Engine", "See `bootc-installer --help`." ),
    QT_TRANSLATE_NOOP( "Engine", "The configuration file does not follow the format." ),
    QT_TRANSLATE_NOOP( "Engine", "Correct the named key; docs/formats.md explains each one." ),
    QT_TRANSLATE_NOOP( "Engine", "It is not where the boot menu, the machine or the medium says, or its server does not answer." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the address or path after `installer.recipe=`, and the network." ),
    QT_TRANSLATE_NOOP( "Engine", "The recipe was changed after its hash was written down, or on the way." ),
    QT_TRANSLATE_NOOP( "Engine", "Compare the recipe with its `sha256sum`, and correct `installer.recipe.sha256=`." ),
    QT_TRANSLATE_NOOP( "Engine", "The plan was written by hand or by another version." ),
    QT_TRANSLATE_NOOP( "Engine", "Make a new plan with `bootc-installer plan`." ),
    QT_TRANSLATE_NOOP( "Engine", "A module of Calamares left something else than Calamares 3.3 does, or the order of modules is another." ),
    QT_TRANSLATE_NOOP( "Engine", "Compare settings.conf with the one that comes with this program, and see Calamares' own log." ),
    QT_TRANSLATE_NOOP( "Engine", "The reference does not have the form host/name:tag." ),
    QT_TRANSLATE_NOOP( "Engine", "Write it in full, for example registry.example/os/debian:13." ),
    QT_TRANSLATE_NOOP( "Engine", "The file or descriptor with the credentials is missing or not in the expected form." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the path, its permissions and that it is a containers-auth.json(5) file." ),
    QT_TRANSLATE_NOOP( "Engine", "Installing needs the rights of the administrator." ),
    QT_TRANSLATE_NOOP( "Engine", "Run it as root, for example with sudo." ),
    QT_TRANSLATE_NOOP( "Engine", "The live system or the image lacks a package." ),
    QT_TRANSLATE_NOOP( "Engine", "Install the named package and try again." ),
    QT_TRANSLATE_NOOP( "Engine", "The name is misspelt, or this machine has no working network or DNS." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the name and the network connection." ),
    QT_TRANSLATE_NOOP( "Engine", "The registry is down, the port is wrong, or a firewall is in the way." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the address and port, then try again." ),
    QT_TRANSLATE_NOOP( "Engine", "The certificate is from an authority that this system does not know, or the registry speaks plain http." ),
    QT_TRANSLATE_NOOP( "Engine", "Add the authority's certificate (key `ca`), or allow plain http for this host (key `insecure`)." ),
    QT_TRANSLATE_NOOP( "Engine", "An administrator has blocked it in registries.conf." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose another image, or ask whoever set up this machine why it is blocked." ),
    QT_TRANSLATE_NOOP( "Engine", "The image is private, or does not exist and the registry will not say so." ),
    QT_TRANSLATE_NOOP( "Engine", "Give a user name and password for this registry." ),
    QT_TRANSLATE_NOOP( "Engine", "The user name or password is wrong, or the account may not read this image." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the credentials and the account's rights." ),
    QT_TRANSLATE_NOOP( "Engine", "Too many images were pulled with this account, or without one from this network's address." ),
    QT_TRANSLATE_NOOP( "Engine", "Wait, or log in to the registry to raise the limit." ),
    QT_TRANSLATE_NOOP( "Engine", "A rule of the registry holds the image back, for example one about known weaknesses or missing signatures." ),
    QT_TRANSLATE_NOOP( "Engine", "Ask whoever runs the registry; trying again does not change the answer." ),
    QT_TRANSLATE_NOOP( "Engine", "The name or the tag is misspelt, or was removed." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the reference; the registry's web page lists the tags." ),
    QT_TRANSLATE_NOOP( "Engine", "The image was not built for this kind of machine." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose an image that offers this architecture." ),
    QT_TRANSLATE_NOOP( "Engine", "The registry or something on the way altered the data, or storage is faulty." ),
    QT_TRANSLATE_NOOP( "Engine", "Try again; if it stays, report it to whoever runs the registry." ),
    QT_TRANSLATE_NOOP( "Engine", "Whoever built the image did not sign it, or the signature was not copied along with it." ),
    QT_TRANSLATE_NOOP( "Engine", "Ask whoever builds the image to sign it with cosign, or choose another image." ),
    QT_TRANSLATE_NOOP( "Engine", "The image was signed with another key or for another name, or was replaced by somebody else." ),
    QT_TRANSLATE_NOOP( "Engine", "Do not install it before whoever builds the image has told which key signs it." ),
    QT_TRANSLATE_NOOP( "Engine", "The policy for container images does not let this image through, or cannot be understood." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose another image, or ask whoever made this system to correct the policy." ),
    QT_TRANSLATE_NOOP( "Engine", "The connection broke or stalled too often." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the network connection and start again." ),
    QT_TRANSLATE_NOOP( "Engine", "The server is no OCI registry, or a proxy answers in its place." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the address; a captive portal of the network may be in the way." ),
    QT_TRANSLATE_NOOP( "Engine", "The directory is no OCI image layout, or lacks the image." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the path and the tag." ),
    QT_TRANSLATE_NOOP( "Engine", "The image is an ordinary container image, or its build left something out." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose a bootable container image, or mend its build as the details say." ),
    QT_TRANSLATE_NOOP( "Engine", "A layer is damaged or uses something that cannot be represented on this file system." ),
    QT_TRANSLATE_NOOP( "Engine", "Report it to whoever builds the image." ),
    QT_TRANSLATE_NOOP( "Engine", "Nothing is mounted there, so the installation would go into the running system." ),
    QT_TRANSLATE_NOOP( "Engine", "Mount the target's root file system there first." ),
    QT_TRANSLATE_NOOP( "Engine", "The target is a bind mount, a directory or the running system itself." ),
    QT_TRANSLATE_NOOP( "Engine", "Mount a file system of its own, freshly made, as the target." ),
    QT_TRANSLATE_NOOP( "Engine", "Something was installed or left there before; even an empty directory counts." ),
    QT_TRANSLATE_NOOP( "Engine", "Make a new file system on it (this deletes its contents), mount it and start again." ),
    QT_TRANSLATE_NOOP( "Engine", "An earlier installation was cut off, for example by a power loss." ),
    QT_TRANSLATE_NOOP( "Engine", "Make a new file system on the target and start again; nothing of the earlier attempt is usable." ),
    QT_TRANSLATE_NOOP( "Engine", "bootc installs onto ext4, xfs and btrfs only." ),
    QT_TRANSLATE_NOOP( "Engine", "Make one of these file systems on the target." ),
    QT_TRANSLATE_NOOP( "Engine", "Beside its file system it has the marks of something older, and the installed system would not find it." ),
    QT_TRANSLATE_NOOP( "Engine", "Remove the old marks with wipefs(8), or clear the partition with it before making the file system." ),
    QT_TRANSLATE_NOOP( "Engine", "The download, the unpacked image and the deployment must fit at the same time." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose a larger partition or a smaller image." ),
    QT_TRANSLATE_NOOP( "Engine", "The file system is mounted read-only, or has errors." ),
    QT_TRANSLATE_NOOP( "Engine", "Mount it read-write and start again." ),
    QT_TRANSLATE_NOOP( "Engine", "Something on it is mounted, is swap, or belongs to a volume group, an array or an encrypted volume that is open." ),
    QT_TRANSLATE_NOOP( "Engine", "Unmount or close it first, or choose another disk." ),
    QT_TRANSLATE_NOOP( "Engine", "There are partitions or file systems on it, and nobody has agreed to lose them." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose another disk, or agree with --wipe that everything on it is lost." ),
    QT_TRANSLATE_NOOP( "Engine", "It is no whole disk, or cannot be written." ),
    QT_TRANSLATE_NOOP( "Engine", "Name a whole disk such as /dev/sda; lsblk lists them." ),
    QT_TRANSLATE_NOOP( "Engine", "The disk is not connected, in use, or another one than the recipe describes." ),
    QT_TRANSLATE_NOOP( "Engine", "Compare the disks in the details with the section `disk` of the recipe." ),
    QT_TRANSLATE_NOOP( "Engine", "The recipe describes more than one of the disks of this machine." ),
    QT_TRANSLATE_NOOP( "Engine", "Describe the disk more precisely, or name it by its link below /dev/disk/by-id." ),
    QT_TRANSLATE_NOOP( "Engine", "An earlier disk image has the same name." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose another name, or agree with --overwrite that the file is replaced." ),
    QT_TRANSLATE_NOOP( "Engine", "A tool for disks reported an error." ),
    QT_TRANSLATE_NOOP( "Engine", "See the details; what was on the disk is lost." ),
    QT_TRANSLATE_NOOP( "Engine", "UEFI needs a mounted EFI system partition, BIOS a BIOS boot partition on a GPT." ),
    QT_TRANSLATE_NOOP( "Engine", "Add the one that this machine's firmware needs to the partition layout." ),
    QT_TRANSLATE_NOOP( "Engine", "Kernel and initramfs are on an encrypted file system, which the boot loader cannot open." ),
    QT_TRANSLATE_NOOP( "Engine", "Add an unencrypted partition for /boot, for example ext4 with 1 GiB." ),
    QT_TRANSLATE_NOOP( "Engine", "The boot loader's own tool reported an error." ),
    QT_TRANSLATE_NOOP( "Engine", "See the details; the deployment itself is complete." ),
    QT_TRANSLATE_NOOP( "Engine", "The image needs more room than was computed, or something else wrote to the target." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose a larger partition and start again with a new file system." ),
    QT_TRANSLATE_NOOP( "Engine", "bootc's own last error line is in the details." ),
    QT_TRANSLATE_NOOP( "Engine", "Read the kept log; then make a new file system on the target and start again." ),
    QT_TRANSLATE_NOOP( "Engine", "The deployment does not look as expected, or a file in it could not be written." ),
    QT_TRANSLATE_NOOP( "Engine", "See the details and report it." ),
    QT_TRANSLATE_NOOP( "Engine", "The image lacks a program for it, or protects its files in a way that needs the running system." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose another image, or leave users, files and units to its first boot." ),
    QT_TRANSLATE_NOOP( "Engine", "A program of the image reported an error, or a path leads through a link." ),
    QT_TRANSLATE_NOOP( "Engine", "See the details, correct the plan and start again." ),
    QT_TRANSLATE_NOOP( "Engine", "The image's backend keeps no directory tree that other programs could configure." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose an image with the ostree backend, or install without handing over." ),
    QT_TRANSLATE_NOOP( "Engine", "Another installation is being configured." ),
    QT_TRANSLATE_NOOP( "Engine", "Let it end, or close it with `bootc-installer close`." ),
    QT_TRANSLATE_NOOP( "Engine", "A file system could not be mounted into the deployment." ),
    QT_TRANSLATE_NOOP( "Engine", "The target is still in use, or the disk reported an error while writing." ),
    QT_TRANSLATE_NOOP( "Engine", "Do not switch the machine off before the disk is idle; see the details." ),
    QT_TRANSLATE_NOOP( "Engine", "The installation was asked to stop." ),
    QT_TRANSLATE_NOOP( "Engine", "To install after all, start again; once the deployment has begun, with a new file system on the target." ),
    QT_TRANSLATE_NOOP( "Engine", "The operating system refused an operation." ),
    QT_TRANSLATE_NOOP( "Engine", "See the details." ),
    QT_TRANSLATE_NOOP( "Engine", "This is a defect of the installer." ),
    QT_TRANSLATE_NOOP( "Engine", "Please report it with the log." ),
};

// More precise ones of single places.
inline constexpr const char* PRECISE[] = {
    // The image's address
    QT_TRANSLATE_NOOP( "Engine", "The image reference is empty; write it as host/name:tag." ),
    QT_TRANSLATE_NOOP( "Engine", "The repository name is missing; write host/name:tag." ),
    QT_TRANSLATE_NOOP( "Engine", "A reference cannot hold a user name or password; put them into an auth file." ),
    // The registry
    QT_TRANSLATE_NOOP( "Engine", "Correct the image reference." ),
    QT_TRANSLATE_NOOP( "Engine", "Correct the registry configuration." ),
    QT_TRANSLATE_NOOP( "Engine", "Run the helper by hand, or give the credentials in an auth file." ),
    QT_TRANSLATE_NOOP( "Engine", "Log in to that registry again, or remove the entry from the auth file." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the spelling of the host and that the network and its DNS server are up." ),
    QT_TRANSLATE_NOOP( "Engine", "Check host and port, and that the registry is running." ),
    QT_TRANSLATE_NOOP( "Engine", "Check that this machine is connected to the network." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the network and that no firewall or proxy stands in between." ),
    QT_TRANSLATE_NOOP( "Engine", "Mend the certificate file that is named, or add the certificate of the authority that signed it to the configuration (ca)." ),
    QT_TRANSLATE_NOOP( "Engine", "Configure credentials for this registry, or check the spelling: many registries ask for a login when a repository does not exist." ),
    QT_TRANSLATE_NOOP( "Engine", "Check user name and password or token, and that they may read this repository." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the spelling of the repository and of the tag." ),
    QT_TRANSLATE_NOOP( "Engine", "Wait, or log in with an account that has a higher limit." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the address; a proxy or a login page of the network may be in the way." ),
    QT_TRANSLATE_NOOP( "Engine", "Try again later, or ask whoever runs the registry." ),
    QT_TRANSLATE_NOOP( "Engine", "Tell whoever runs the registry; a proxy or a login page of the network may also be answering in its place." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose an image that is made for this machine." ),
    QT_TRANSLATE_NOOP( "Engine", "The content was damaged or replaced on its way. Try again; if it stays, tell whoever runs the registry." ),
    QT_TRANSLATE_NOOP( "Engine", "Tell whoever made the image: it does not follow the image specification." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the name: it leads to something else, such as a Helm chart, an artifact or an image of docker's oldest form." ),
    QT_TRANSLATE_NOOP( "Engine", "Build the image with plain, gzip or zstd compressed layers." ),
    QT_TRANSLATE_NOOP( "Engine", "Start again when ready." ),
    QT_TRANSLATE_NOOP( "Engine", "Add the certificate of the authority that signed it to the configuration (ca)." ),
    QT_TRANSLATE_NOOP( "Engine", "Use the host name that the certificate was made for." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the date and time of this machine." ),
    QT_TRANSLATE_NOOP( "Engine", "If this registry is meant to be used without encryption, mark it as insecure in the configuration." ),
    QT_TRANSLATE_NOOP( "Engine", "Check that the address is that of a registry and not of something else." ),
    QT_TRANSLATE_NOOP( "Engine", "Its certificate is not trusted." ),
    QT_TRANSLATE_NOOP( "Engine", "Its certificate is for another host." ),
    QT_TRANSLATE_NOOP( "Engine", "Its certificate is expired or not valid yet." ),
    QT_TRANSLATE_NOOP( "Engine", "The server speaks plain HTTP." ),
    QT_TRANSLATE_NOOP( "Engine", "The TLS handshake failed." ),
    // The image's place, login and signature
    QT_TRANSLATE_NOOP( "Engine", "The path is misspelt, or its permissions are too strict." ),
    QT_TRANSLATE_NOOP( "Engine", "Correct the key `ca` or the option --ca." ),
    QT_TRANSLATE_NOOP( "Engine", "The program that keeps the credentials is missing or does not work." ),
    QT_TRANSLATE_NOOP( "Engine", "A password or an image would travel where others can read or change it." ),
    QT_TRANSLATE_NOOP( "Engine", "The registry does not serve the image at the moment." ),
    QT_TRANSLATE_NOOP( "Engine", "The image has layers of a kind that cannot be installed." ),
    QT_TRANSLATE_NOOP( "Engine", "The medium or the copy of the image is damaged." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the medium, or make a new copy of the image." ),
    QT_TRANSLATE_NOOP( "Engine", "The layout was made anew after the plan, or is another one." ),
    QT_TRANSLATE_NOOP( "Engine", "It does not have the label `containers.bootc=1`, so it is an ordinary container image." ),
    QT_TRANSLATE_NOOP( "Engine", "The file was changed after the plan was made." ),
    QT_TRANSLATE_NOOP( "Engine", "Its first line must be the password." ),
    QT_TRANSLATE_NOOP( "Engine", "It was copied incompletely, or is a placeholder." ),
    QT_TRANSLATE_NOOP( "Engine", "Copy the value from an auth.json file, or give `username` and `password`." ),
    QT_TRANSLATE_NOOP( "Engine", "Without the registry only signatures on this medium can be verified, and there is none for this image." ),
    QT_TRANSLATE_NOOP( "Engine", "Connect to the network and try again, or use an installation medium that was made with the image's signatures." ),
    QT_TRANSLATE_NOOP( "Engine", "This kind of signature cannot be verified by the installer, which therefore refuses the image." ),
    QT_TRANSLATE_NOOP( "Engine", "Sign the image with a cosign key and let the policy demand `sigstoreSigned` with `keyPath`." ),
    // The plan
    QT_TRANSLATE_NOOP( "Engine", "Remove or correct the entry." ),
    QT_TRANSLATE_NOOP( "Engine", "Swap space has no mount point but `none`." ),
    QT_TRANSLATE_NOOP( "Engine", "There are two entries for this mount point." ),
    QT_TRANSLATE_NOOP( "Engine", "It lacks a source or a file system type." ),
    QT_TRANSLATE_NOOP( "Engine", "One of its options is empty." ),
    QT_TRANSLATE_NOOP( "Engine", "A field contains a line break or another control character." ),
    QT_TRANSLATE_NOOP( "Engine", "The mount point is no absolute path." ),
    QT_TRANSLATE_NOOP( "Engine", "The root file system is mounted by bootc itself; a line for it breaks the boot." ),
    QT_TRANSLATE_NOOP( "Engine", "A file system of its own for /var would hide what the image brings in /var." ),
    QT_TRANSLATE_NOOP( "Engine", "This directory belongs to the deployment." ),
    // The machine
    QT_TRANSLATE_NOOP( "Engine", "The live system lacks a package." ),
    // The image's layers
    QT_TRANSLATE_NOOP( "Engine", "It unpacks to more than any real layer of its size." ),
    // The image's own programs
    QT_TRANSLATE_NOOP( "Engine", "The image lacks a package." ),
    QT_TRANSLATE_NOOP( "Engine", "Add it to the image's build." ),
    QT_TRANSLATE_NOOP( "Engine", "Something was mounted or moved there while the installation ran." ),
    QT_TRANSLATE_NOOP( "Engine", "Remove the scratch directory by hand." ),
    QT_TRANSLATE_NOOP( "Engine", "It is no squashfs or erofs image, it is damaged, or the kernel lacks the file system." ),
    QT_TRANSLATE_NOOP( "Engine", "Check the file against its checksum, or run without a runtime root." ),
    QT_TRANSLATE_NOOP( "Engine", "Its build removed a directory that every system has." ),
    QT_TRANSLATE_NOOP( "Engine", "Add the empty directory to the image's build." ),
    QT_TRANSLATE_NOOP( "Engine", "This process may not make mounts and namespaces, even if its user is root." ),
    // The installation itself
    QT_TRANSLATE_NOOP( "Engine", "This kernel has no vfat, and the image's own boot loader is written to a mounted partition." ),
    QT_TRANSLATE_NOOP( "Engine", "Install it on a machine whose kernel has vfat." ),
    QT_TRANSLATE_NOOP( "Engine", "This image's own boot loader goes onto the disk with the root file system, and would replace what starts from there." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose the disk with the root file system for the boot loader, or install the root on the other disk." ),
    QT_TRANSLATE_NOOP( "Engine", "systemd-boot is installed from the image itself, by its bootctl." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose GRUB as the boot loader, or an image with systemd-boot." ),
    QT_TRANSLATE_NOOP( "Engine", "systemd-boot starts from a mounted EFI system partition only." ),
    QT_TRANSLATE_NOOP( "Engine", "Add an EFI system partition to the partition layout." ),
    QT_TRANSLATE_NOOP( "Engine", "GRUB must be version 2.14 or later, which reads boot loader entries." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose an image with such a GRUB (Debian: grub-pc-bin, grub-efi-amd64-bin, grub2-common), or install it in the live system." ),
    QT_TRANSLATE_NOOP( "Engine", "The paths in boot loader entries are those of the file system's top level." ),
    QT_TRANSLATE_NOOP( "Engine", "Add a file system of its own for /boot, for example ext4 with 1 GiB, or do not use a subvolume for the root." ),
    QT_TRANSLATE_NOOP( "Engine", "GRUB finds it by its UUID." ),
    QT_TRANSLATE_NOOP( "Engine", "Make a new file system on it." ),
    QT_TRANSLATE_NOOP( "Engine", "The image's own skopeo would refuse every image, also the one to be installed." ),
    QT_TRANSLATE_NOOP( "Engine", "Calamares does not tell one, and there is none on it: formatting it has failed." ),
    QT_TRANSLATE_NOOP( "Engine", "Start again, and on the partition page let the partition be formatted or leave it out." ),
    QT_TRANSLATE_NOOP( "Engine", "Calamares has not opened it, or could not read its UUID." ),
    QT_TRANSLATE_NOOP( "Engine", "Its UUID or its name cannot stand on a kernel command line." ),
    QT_TRANSLATE_NOOP( "Engine", "Its global storage has no `rootMountPoint`." ),
    QT_TRANSLATE_NOOP( "Engine", "In settings.conf put `partition` and `mount` before `bootc` in `exec`." ),
    QT_TRANSLATE_NOOP( "Engine", "No entry of `partitions` in its global storage has the mount point `/`." ),
    QT_TRANSLATE_NOOP( "Engine", "Install the package util-linux and try again." ),
    QT_TRANSLATE_NOOP( "Engine", "Mount the EFI system partition at boot/efi below the target, or add a BIOS boot partition; without a boot loader of ours choose `none`." ),
    QT_TRANSLATE_NOOP( "Engine", "No vfat file system is mounted at boot/efi, efi or boot below the target." ),
    QT_TRANSLATE_NOOP( "Engine", "Mount the EFI system partition there, or choose another boot loader." ),
    QT_TRANSLATE_NOOP( "Engine", "Kernel, initramfs and boot loader go there." ),
    QT_TRANSLATE_NOOP( "Engine", "Make that partition larger; 1 GB leaves room for updates." ),
    QT_TRANSLATE_NOOP( "Engine", "Installing would overwrite what it is installed from." ),
    QT_TRANSLATE_NOOP( "Engine", "Mount another file system as the target." ),
    QT_TRANSLATE_NOOP( "Engine", "The path is misspelt, or the medium with it is not mounted." ),
    QT_TRANSLATE_NOOP( "Engine", "Correct the path, or leave it out: the image is then unpacked on the target." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose another directory, or leave it out to use the target." ),
    QT_TRANSLATE_NOOP( "Engine", "It must be a directory; only what is put into it is removed at the end." ),
    QT_TRANSLATE_NOOP( "Engine", "bootc installs only onto a file system with nothing else on it." ),
    QT_TRANSLATE_NOOP( "Engine", "It is read-only or belongs to somebody else." ),
    QT_TRANSLATE_NOOP( "Engine", "It tells the disk which blocks are unused." ),
    QT_TRANSLATE_NOOP( "Engine", "It tells what is on the target's disk." ),
    QT_TRANSLATE_NOOP( "Engine", "It is not the mount point of a target." ),
    QT_TRANSLATE_NOOP( "Engine", "Name the directory where the target's root file system is mounted." ),
    QT_TRANSLATE_NOOP( "Engine", "The image has no such directory, and its root is read-only." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose a mount point below /var." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose another place for the boot loader: a whole disk with a BIOS boot partition of 1 MiB or more on its GPT, or an msdos table with 1 MiB before its first partition." ),
    QT_TRANSLATE_NOOP( "Engine", "The first sectors of a partition have no room for GRUB, and often hold a boot loader already." ),
    QT_TRANSLATE_NOOP( "Engine", "It was chosen for the boot loader, and no other disk is written to in its place." ),
    QT_TRANSLATE_NOOP( "Engine", "Nothing is left of the file: start again whenever you like." ),
    QT_TRANSLATE_NOOP( "Engine", "To install after all, make a new file system on the target and start again." ),
    QT_TRANSLATE_NOOP( "Engine", "The target is as it was: start again whenever you like." ),
    QT_TRANSLATE_NOOP( "Engine", "The disk reported an error." ),
    QT_TRANSLATE_NOOP( "Engine", "A program still uses it." ),
    QT_TRANSLATE_NOOP( "Engine", "End the named programs, then unmount it; the installation itself is complete." ),
    QT_TRANSLATE_NOOP( "Engine", "Something mounted it again meanwhile." ),
    QT_TRANSLATE_NOOP( "Engine", "Unmount it; the installation itself is complete." ),
    QT_TRANSLATE_NOOP( "Engine", "Another version of the installer wrote it." ),
    QT_TRANSLATE_NOOP( "Engine", "Another program made it." ),
    QT_TRANSLATE_NOOP( "Engine", "Remove it and start again." ),
    QT_TRANSLATE_NOOP( "Engine", "The path is misspelt, or the target was not mounted." ),
    QT_TRANSLATE_NOOP( "Engine", "Installing there would overwrite the running system." ),
    QT_TRANSLATE_NOOP( "Engine", "It is a bind mount, and bootc installs onto whole file systems." ),
    QT_TRANSLATE_NOOP( "Engine", "bootc refuses an empty directory that is no mount point as well." ),
    QT_TRANSLATE_NOOP( "Engine", "It belongs to another system, whose boot menu would be replaced." ),
    QT_TRANSLATE_NOOP( "Engine", "Choose another partition for /boot, or have this one formatted." ),
    QT_TRANSLATE_NOOP( "Engine", "It is left over from an earlier attempt or mounted by hand." ),
    QT_TRANSLATE_NOOP( "Engine", "Unmount it, make a new file system on the target and start again." ),
    QT_TRANSLATE_NOOP( "Engine", "Everything mounted at or below the target must be a partition or volume of its own." ),
    QT_TRANSLATE_NOOP( "Engine", "Unmount it and start again." ),
    // Login and start of the engine
    QT_TRANSLATE_NOOP( "Engine", "Registries have no such user names and passwords." ),
    QT_TRANSLATE_NOOP( "Engine", "Type user name and password again." ),
    QT_TRANSLATE_NOOP( "Engine", "The package bootc-installer is missing or damaged." ),
    QT_TRANSLATE_NOOP( "Engine", "Install the package bootc-installer, or use another installation medium." ),
    QT_TRANSLATE_NOOP( "Engine", "It was killed, for example because the machine ran out of memory." ),
    QT_TRANSLATE_NOOP( "Engine", "Start again with a new file system on the target; close other programs first." ),
    QT_TRANSLATE_NOOP( "Engine", "It is not among the modules' configuration files of this installer." ),
    QT_TRANSLATE_NOOP( "Engine", "Report it to whoever made this installation medium." ),
};

// clang-format on

}  // namespace bootc

#endif
