<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>BootcViewStep</name>
    <message>
        <source>System</source>
        <comment>@label</comment>
        <translation>System</translation>
    </message>
    <message>
        <source>Install %1.</source>
        <comment>@info</comment>
        <translation>%1 wird installiert.</translation>
    </message>
    <message>
        <source>Install &lt;b&gt;%1&lt;/b&gt;.&lt;br/&gt;Digest: %2</source>
        <comment>@info</comment>
        <translation>&lt;b&gt;%1&lt;/b&gt; wird installiert.&lt;br/&gt;Digest: %2</translation>
    </message>
    <message>
        <source>Install &lt;b&gt;%1&lt;/b&gt; from %2.&lt;br/&gt;Digest: %3</source>
        <comment>@info</comment>
        <translation>&lt;b&gt;%1&lt;/b&gt; wird von %2 installiert.&lt;br/&gt;Digest: %3</translation>
    </message>
    <message>
        <source>Signature: verified</source>
        <comment>@info</comment>
        <translation>Signatur: geprüft</translation>
    </message>
    <message>
        <source>Signature: not verified</source>
        <comment>@info</comment>
        <translation>Signatur: nicht geprüft</translation>
    </message>
    <message>
        <source>can reach the registry, the server with the system to install</source>
        <comment>@info</comment>
        <translation>kann die Registry erreichen, den Server mit dem System zum Installieren</translation>
    </message>
    <message>
        <source>The registry, the server with the system to install, cannot be reached.</source>
        <comment>@info</comment>
        <translation>Die Registry, der Server mit dem System zum Installieren, ist nicht erreichbar.</translation>
    </message>
</context>
<context>
    <name>CleanupJob</name>
    <message>
        <source>Finish the installation</source>
        <comment>@label</comment>
        <translation>Installation abschließen</translation>
    </message>
    <message>
        <source>Writing everything to the disk</source>
        <comment>@status</comment>
        <translation>Alles wird auf den Datenträger geschrieben</translation>
    </message>
</context>
<context>
    <name>Engine</name>
    <message>
        <source>USAGE</source>
        <extracomment>As a sentence: The command line cannot be carried out as given.</extracomment>
        <translation>Die Eingabe kann so nicht verwendet werden.</translation>
    </message>
    <message>
        <source>CONFIG_INVALID</source>
        <extracomment>As a sentence: A configuration file is missing, unreadable or has wrong keys or values.</extracomment>
        <translation>Die Konfiguration dieses Installationsprogramms ist fehlerhaft.</translation>
    </message>
    <message>
        <source>RECIPE_UNREADABLE</source>
        <extracomment>As a sentence: The recipe of the installation cannot be read.</extracomment>
        <translation>Das Rezept der Installation kann nicht gelesen werden.</translation>
    </message>
    <message>
        <source>RECIPE_MISMATCH</source>
        <extracomment>As a sentence: The recipe is another one than its hash says.</extracomment>
        <translation>Das Rezept ist ein anderes, als seine Prüfsumme sagt.</translation>
    </message>
    <message>
        <source>PLAN_INVALID</source>
        <extracomment>As a sentence: A plan is not valid JSON, of another version, or contradicts itself.</extracomment>
        <translation>Der Plan für die Installation ist nicht verwendbar.</translation>
    </message>
    <message>
        <source>CALAMARES_INVALID</source>
        <extracomment>As a sentence: Calamares&apos; global storage does not have the documented shape.</extracomment>
        <translation>Die Angaben, die Calamares gesammelt hat, sind nicht verwendbar.</translation>
    </message>
    <message>
        <source>IMAGE_REF_INVALID</source>
        <extracomment>As a sentence: An image reference cannot be parsed.</extracomment>
        <translation>Das ist keine gültige Adresse eines Images.</translation>
    </message>
    <message>
        <source>SECRET_UNREADABLE</source>
        <extracomment>As a sentence: A secret cannot be read from where the plan says it is.</extracomment>
        <translation>Die Anmeldedaten können nicht gelesen werden.</translation>
    </message>
    <message>
        <source>NOT_ROOT</source>
        <extracomment>As a sentence: The program needs rights that it does not have.</extracomment>
        <translation>Für die Installation fehlen die nötigen Rechte.</translation>
    </message>
    <message>
        <source>TOOL_MISSING</source>
        <extracomment>As a sentence: A command that a later step runs is not there.</extracomment>
        <translation>Ein benötigtes Programm fehlt.</translation>
    </message>
    <message>
        <source>REGISTRY_HOST_UNKNOWN</source>
        <extracomment>As a sentence: The registry&apos;s name cannot be resolved.</extracomment>
        <translation>Die Registry wurde nicht gefunden.</translation>
    </message>
    <message>
        <source>REGISTRY_UNREACHABLE</source>
        <extracomment>As a sentence: The registry&apos;s machine does not accept the connection.</extracomment>
        <translation>Die Registry ist nicht erreichbar.</translation>
    </message>
    <message>
        <source>REGISTRY_TLS</source>
        <extracomment>As a sentence: The registry&apos;s certificate is not trusted, or it speaks no TLS.</extracomment>
        <translation>Es kommt keine sichere Verbindung zur Registry zustande.</translation>
    </message>
    <message>
        <source>REGISTRY_BLOCKED</source>
        <extracomment>As a sentence: This machine&apos;s settings forbid the registry or repository.</extracomment>
        <translation>Die Einstellungen dieses Rechners sperren diese Registry oder dieses Repository.</translation>
    </message>
    <message>
        <source>REGISTRY_AUTH_REQUIRED</source>
        <extracomment>As a sentence: The registry wants credentials and none were given.</extracomment>
        <translation>Die Registry verlangt für dieses Image eine Anmeldung.</translation>
    </message>
    <message>
        <source>REGISTRY_AUTH</source>
        <extracomment>As a sentence: The registry refused the given credentials.</extracomment>
        <translation>Die Registry hat die Anmeldung abgelehnt.</translation>
    </message>
    <message>
        <source>REGISTRY_RATE_LIMITED</source>
        <extracomment>As a sentence: The registry limits the number of pulls, and the limit is reached.</extracomment>
        <translation>Die Registry gibt vorerst keine Images mehr heraus.</translation>
    </message>
    <message>
        <source>REGISTRY_REFUSED</source>
        <extracomment>As a sentence: The registry has the image and does not give it out.</extracomment>
        <translation>Die Registry verweigert dieses Image.</translation>
    </message>
    <message>
        <source>IMAGE_NOT_FOUND</source>
        <extracomment>As a sentence: No such repository or tag.</extracomment>
        <translation>Es gibt kein Image mit diesem Namen oder dieser Marke.</translation>
    </message>
    <message>
        <source>IMAGE_NO_PLATFORM</source>
        <extracomment>As a sentence: The image exists, but not for this machine&apos;s architecture.</extracomment>
        <translation>Das Image gibt es nicht für diese Art von Rechner.</translation>
    </message>
    <message>
        <source>DIGEST_MISMATCH</source>
        <extracomment>As a sentence: Downloaded bytes are not the ones the manifest names.</extracomment>
        <translation>Die erhaltenen Daten sind nicht die erwarteten.</translation>
    </message>
    <message>
        <source>IMAGE_NOT_SIGNED</source>
        <extracomment>As a sentence: The image has no signature, and one is demanded.</extracomment>
        <translation>Das Image ist nicht signiert, und eine Signatur wird verlangt.</translation>
    </message>
    <message>
        <source>SIGNATURE_INVALID</source>
        <extracomment>As a sentence: The image has signatures, and none is the one that is demanded.</extracomment>
        <translation>Das Image hat Signaturen, aber keine ist die verlangte.</translation>
    </message>
    <message>
        <source>SIGNATURE_POLICY</source>
        <extracomment>As a sentence: The policy for signatures rejects the image or cannot be applied.</extracomment>
        <translation>Die Richtlinie für Signaturen lehnt das Image ab oder kann nicht angewendet werden.</translation>
    </message>
    <message>
        <source>NETWORK_INTERRUPTED</source>
        <extracomment>As a sentence: The connection was lost and retries did not help.</extracomment>
        <translation>Das Image konnte nicht vollständig geladen werden.</translation>
    </message>
    <message>
        <source>REGISTRY_MALFORMED</source>
        <extracomment>As a sentence: The registry answered something that is no valid manifest, config or layout.</extracomment>
        <translation>Die Antwort der Registry ist unverständlich.</translation>
    </message>
    <message>
        <source>SOURCE_INVALID</source>
        <extracomment>As a sentence: The local OCI layout given as the source is unusable.</extracomment>
        <translation>Die örtliche Kopie des Images ist nicht verwendbar.</translation>
    </message>
    <message>
        <source>IMAGE_NOT_BOOTABLE</source>
        <extracomment>As a sentence: The image cannot be installed with bootc, or would not boot.</extracomment>
        <translation>Dieses Image lässt sich nicht als Betriebssystem installieren.</translation>
    </message>
    <message>
        <source>UNPACK_FAILED</source>
        <extracomment>As a sentence: The image&apos;s layers cannot be unpacked.</extracomment>
        <translation>Das Image konnte nicht entpackt werden.</translation>
    </message>
    <message>
        <source>TARGET_NOT_MOUNTED</source>
        <extracomment>As a sentence: The target is not a mount point.</extracomment>
        <translation>Das Ziel der Installation ist nicht eingehängt.</translation>
    </message>
    <message>
        <source>TARGET_NOT_OWN_FILESYSTEM</source>
        <extracomment>As a sentence: The target is a part of another file system or of the running system.</extracomment>
        <translation>Das Ziel der Installation ist kein eigenes Dateisystem.</translation>
    </message>
    <message>
        <source>TARGET_NOT_EMPTY</source>
        <extracomment>As a sentence: The target holds something.</extracomment>
        <translation>Das Ziel der Installation ist nicht leer.</translation>
    </message>
    <message>
        <source>TARGET_INTERRUPTED</source>
        <extracomment>As a sentence: An installation onto this target ended before its time.</extracomment>
        <translation>Auf dem Ziel liegen Reste einer unterbrochenen Installation.</translation>
    </message>
    <message>
        <source>TARGET_FILESYSTEM</source>
        <extracomment>As a sentence: The target&apos;s file system type cannot carry a deployment.</extracomment>
        <translation>Auf ein Dateisystem dieser Art kann nicht installiert werden.</translation>
    </message>
    <message>
        <source>TARGET_AMBIGUOUS</source>
        <extracomment>As a sentence: It cannot be told what is on a partition.</extracomment>
        <translation>Auf einer Partition finden sich die Spuren von mehrerem zugleich.</translation>
    </message>
    <message>
        <source>TARGET_TOO_SMALL</source>
        <extracomment>As a sentence: The target is too small for the image.</extracomment>
        <translation>Auf dem Ziel ist zu wenig Platz.</translation>
    </message>
    <message>
        <source>TARGET_READ_ONLY</source>
        <extracomment>As a sentence: The target is mounted read-only or cannot be written.</extracomment>
        <translation>Auf das Ziel kann nicht geschrieben werden.</translation>
    </message>
    <message>
        <source>DISK_IN_USE</source>
        <extracomment>As a sentence: The disk is in use.</extracomment>
        <translation>Das Laufwerk wird gerade benutzt.</translation>
    </message>
    <message>
        <source>DISK_NOT_EMPTY</source>
        <extracomment>As a sentence: The disk holds something.</extracomment>
        <translation>Auf dem Laufwerk ist schon etwas.</translation>
    </message>
    <message>
        <source>DISK_UNUSABLE</source>
        <extracomment>As a sentence: What is named is no disk that can be partitioned.</extracomment>
        <translation>Das Genannte ist kein Laufwerk, das partitioniert werden kann.</translation>
    </message>
    <message>
        <source>DISK_NOT_FOUND</source>
        <extracomment>As a sentence: No disk of this machine fits.</extracomment>
        <translation>Kein Laufwerk dieses Rechners passt.</translation>
    </message>
    <message>
        <source>DISK_AMBIGUOUS</source>
        <extracomment>As a sentence: Several disks of this machine fit, and none is chosen.</extracomment>
        <translation>Mehrere Laufwerke dieses Rechners passen, und keines wird ausgewählt.</translation>
    </message>
    <message>
        <source>FILE_EXISTS</source>
        <extracomment>As a sentence: The file that is to be made is there already.</extracomment>
        <translation>Die Datei, die entstehen soll, gibt es schon.</translation>
    </message>
    <message>
        <source>PARTITION_FAILED</source>
        <extracomment>As a sentence: The disk could not be partitioned, or a file system could not be made.</extracomment>
        <translation>Das Laufwerk konnte nicht partitioniert oder ein Dateisystem nicht angelegt werden.</translation>
    </message>
    <message>
        <source>BOOT_NO_PLACE</source>
        <extracomment>As a sentence: There is no place for a boot loader that this machine could start.</extracomment>
        <translation>Auf dem Ziel gibt es keinen geeigneten Platz für den Bootloader.</translation>
    </message>
    <message>
        <source>BOOT_ENCRYPTED</source>
        <extracomment>As a sentence: The boot loader would have to read an encrypted partition.</extracomment>
        <translation>Von der verschlüsselten Partition könnte das System nicht starten.</translation>
    </message>
    <message>
        <source>BOOTLOADER_FAILED</source>
        <extracomment>As a sentence: The boot loader could not be installed.</extracomment>
        <translation>Der Bootloader konnte nicht installiert werden.</translation>
    </message>
    <message>
        <source>DISK_FULL</source>
        <extracomment>As a sentence: The target filled up.</extracomment>
        <translation>Auf dem Ziel ist kein Platz mehr.</translation>
    </message>
    <message>
        <source>BOOTC_FAILED</source>
        <extracomment>As a sentence: bootc itself failed.</extracomment>
        <translation>Das Programm bootc konnte das Image nicht installieren.</translation>
    </message>
    <message>
        <source>DEPLOYMENT_FAILED</source>
        <extracomment>As a sentence: The deployment was made but could not be configured.</extracomment>
        <translation>Die Bereitstellung konnte nicht eingerichtet werden.</translation>
    </message>
    <message>
        <source>CUSTOMISE_UNSUPPORTED</source>
        <extracomment>As a sentence: The image cannot be customised as the plan wants.</extracomment>
        <translation>Das Abbild kann nicht so angepasst werden, wie der Plan es verlangt.</translation>
    </message>
    <message>
        <source>CUSTOMISE_FAILED</source>
        <extracomment>As a sentence: Users, files or units could not be added to the deployment.</extracomment>
        <translation>Benutzer, Dateien oder Units konnten nicht hinzugefügt werden.</translation>
    </message>
    <message>
        <source>HANDOVER_UNSUPPORTED</source>
        <extracomment>As a sentence: The deployment cannot be handed over to other programs.</extracomment>
        <translation>Ein Image dieser Art kann hier nicht weiter eingerichtet werden.</translation>
    </message>
    <message>
        <source>HANDOVER_ACTIVE</source>
        <extracomment>As a sentence: A deployment is handed over already, and its owner is still there.</extracomment>
        <translation>Eine andere Installation ist noch im Gange.</translation>
    </message>
    <message>
        <source>HANDOVER_FAILED</source>
        <extracomment>As a sentence: The deployment was made but could not be handed over.</extracomment>
        <translation>Die Bereitstellung konnte nicht zur weiteren Einrichtung übergeben werden.</translation>
    </message>
    <message>
        <source>FINISH_FAILED</source>
        <extracomment>As a sentence: Closing the target failed.</extracomment>
        <translation>Das Ziel konnte nicht ordnungsgemäß abgeschlossen werden.</translation>
    </message>
    <message>
        <source>CANCELLED</source>
        <extracomment>As a sentence: Stopped by the person, a signal, or the end of the calling program.</extracomment>
        <translation>Die Installation wurde abgebrochen.</translation>
    </message>
    <message>
        <source>IO</source>
        <extracomment>As a sentence: An operation of the operating system failed in a way no other code tells.</extracomment>
        <translation>Ein Vorgang des Betriebssystems ist fehlgeschlagen.</translation>
    </message>
    <message>
        <source>INTERNAL</source>
        <extracomment>As a sentence: A fault of this program.</extracomment>
        <translation>Im Installationsprogramm ist ein Fehler aufgetreten.</translation>
    </message>
    <message>
        <source>The options do not fit together.</source>
        <translation>Die Angaben passen nicht zusammen.</translation>
    </message>
    <message>
        <source>See `bootc-installer --help`.</source>
        <translation>Siehe „bootc-installer --help“.</translation>
    </message>
    <message>
        <source>The configuration file does not follow the format.</source>
        <translation>Die Konfigurationsdatei hat nicht die vorgeschriebene Form.</translation>
    </message>
    <message>
        <source>Correct the named key; docs/formats.md explains each one.</source>
        <translation>Berichtigen Sie den genannten Schlüssel; docs/formats.md erklärt jeden davon.</translation>
    </message>
    <message>
        <source>It is not where the boot menu, the machine or the medium says, or its server does not answer.</source>
        <translation>Es ist nicht dort, wo das Startmenü, der Rechner oder das Medium es angibt, oder sein Server antwortet nicht.</translation>
    </message>
    <message>
        <source>Check the address or path after `installer.recipe=`, and the network.</source>
        <translation>Prüfen Sie die Adresse oder den Pfad nach `installer.recipe=` und das Netzwerk.</translation>
    </message>
    <message>
        <source>The recipe was changed after its hash was written down, or on the way.</source>
        <translation>Das Rezept wurde geändert, nachdem seine Prüfsumme notiert war, oder unterwegs.</translation>
    </message>
    <message>
        <source>Compare the recipe with its `sha256sum`, and correct `installer.recipe.sha256=`.</source>
        <translation>Vergleichen Sie das Rezept mit seiner `sha256sum`, und berichtigen Sie `installer.recipe.sha256=`.</translation>
    </message>
    <message>
        <source>The plan was written by hand or by another version.</source>
        <translation>Der Plan wurde von Hand oder von einer anderen Version geschrieben.</translation>
    </message>
    <message>
        <source>Make a new plan with `bootc-installer plan`.</source>
        <translation>Erstellen Sie mit „bootc-installer plan“ einen neuen Plan.</translation>
    </message>
    <message>
        <source>A module of Calamares left something else than Calamares 3.3 does, or the order of modules is another.</source>
        <translation>Ein Modul von Calamares hat etwas anderes hinterlassen als in Calamares 3.3, oder die Module laufen in anderer Reihenfolge.</translation>
    </message>
    <message>
        <source>Compare settings.conf with the one that comes with this program, and see Calamares&apos; own log.</source>
        <translation>Vergleichen Sie settings.conf mit der Fassung, die zu diesem Programm gehört, und sehen Sie in das Protokoll von Calamares.</translation>
    </message>
    <message>
        <source>The reference does not have the form host/name:tag.</source>
        <translation>Die Adresse hat nicht die Form Server/Name:Marke.</translation>
    </message>
    <message>
        <source>Write it in full, for example registry.example/os/debian:13.</source>
        <translation>Schreiben Sie die Adresse vollständig, zum Beispiel registry.example/os/debian:13.</translation>
    </message>
    <message>
        <source>The file or descriptor with the credentials is missing or not in the expected form.</source>
        <translation>Die Datei oder der Deskriptor mit den Anmeldedaten fehlt oder hat nicht die erwartete Form.</translation>
    </message>
    <message>
        <source>Check the path, its permissions and that it is a containers-auth.json(5) file.</source>
        <translation>Prüfen Sie den Pfad, die Zugriffsrechte und ob es eine Datei nach containers-auth.json(5) ist.</translation>
    </message>
    <message>
        <source>Installing needs the rights of the administrator.</source>
        <translation>Zum Installieren braucht man Administratorrechte.</translation>
    </message>
    <message>
        <source>Run it as root, for example with sudo.</source>
        <translation>Starten Sie das Programm als root, zum Beispiel mit sudo.</translation>
    </message>
    <message>
        <source>The live system or the image lacks a package.</source>
        <translation>Im Live-System oder im Image fehlt ein Paket.</translation>
    </message>
    <message>
        <source>Install the named package and try again.</source>
        <translation>Installieren Sie das genannte Paket und versuchen Sie es noch einmal.</translation>
    </message>
    <message>
        <source>The name is misspelt, or this machine has no working network or DNS.</source>
        <translation>Der Name ist falsch geschrieben, oder Netzwerk oder DNS dieses Rechners funktionieren nicht.</translation>
    </message>
    <message>
        <source>Check the name and the network connection.</source>
        <translation>Prüfen Sie den Namen und die Netzwerkverbindung.</translation>
    </message>
    <message>
        <source>The registry is down, the port is wrong, or a firewall is in the way.</source>
        <translation>Die Registry ist außer Betrieb, der Port ist falsch, oder eine Firewall ist im Weg.</translation>
    </message>
    <message>
        <source>Check the address and port, then try again.</source>
        <translation>Prüfen Sie Adresse und Port und versuchen Sie es noch einmal.</translation>
    </message>
    <message>
        <source>The certificate is from an authority that this system does not know, or the registry speaks plain http.</source>
        <translation>Das Zertifikat stammt von einer Stelle, die dieses System nicht kennt, oder die Registry spricht unverschlüsseltes http.</translation>
    </message>
    <message>
        <source>Add the authority&apos;s certificate (key `ca`), or allow plain http for this host (key `insecure`).</source>
        <translation>Ergänzen Sie das Zertifikat der ausstellenden Stelle (Schlüssel „ca“), oder erlauben Sie für diesen Server unverschlüsseltes http (Schlüssel „insecure“).</translation>
    </message>
    <message>
        <source>The image is private, or does not exist and the registry will not say so.</source>
        <translation>Das Image ist nicht öffentlich, oder es gibt es nicht, und die Registry verrät das nicht.</translation>
    </message>
    <message>
        <source>Give a user name and password for this registry.</source>
        <translation>Geben Sie Benutzernamen und Passwort für diese Registry an.</translation>
    </message>
    <message>
        <source>An administrator has blocked it in registries.conf.</source>
        <translation>Die Systemverwaltung hat sie in registries.conf gesperrt.</translation>
    </message>
    <message>
        <source>Choose another image, or ask whoever set up this machine why it is blocked.</source>
        <translation>Wählen Sie ein anderes Image, oder fragen Sie, warum es auf diesem Rechner gesperrt ist.</translation>
    </message>
    <message>
        <source>The program that keeps the credentials is missing or does not work.</source>
        <translation>Das Programm, das die Zugangsdaten aufbewahrt, fehlt oder funktioniert nicht.</translation>
    </message>
    <message>
        <source>Run the helper by hand, or give the credentials in an auth file.</source>
        <translation>Rufen Sie das Hilfsprogramm von Hand auf, oder geben Sie die Zugangsdaten in einer auth-Datei an.</translation>
    </message>
    <message>
        <source>Log in to that registry again, or remove the entry from the auth file.</source>
        <translation>Melden Sie sich bei dieser Registry neu an, oder entfernen Sie den Eintrag aus der auth-Datei.</translation>
    </message>
    <message>
        <source>Check the name: it leads to something else, such as a Helm chart, an artifact or an image of docker&apos;s oldest form.</source>
        <translation>Prüfen Sie den Namen: Er führt zu etwas anderem, etwa einem Helm-Chart, einem Artefakt oder einem Image in Dockers ältester Form.</translation>
    </message>
    <message>
        <source>The user name or password is wrong, or the account may not read this image.</source>
        <translation>Benutzername oder Passwort ist falsch, oder das Konto darf dieses Image nicht lesen.</translation>
    </message>
    <message>
        <source>Check the credentials and the account&apos;s rights.</source>
        <translation>Prüfen Sie die Anmeldedaten und die Rechte des Kontos.</translation>
    </message>
    <message>
        <source>The name or the tag is misspelt, or was removed.</source>
        <translation>Der Name oder die Marke ist falsch geschrieben oder wurde entfernt.</translation>
    </message>
    <message>
        <source>Check the reference; the registry&apos;s web page lists the tags.</source>
        <translation>Prüfen Sie die Adresse; die Webseite der Registry nennt die Marken.</translation>
    </message>
    <message>
        <source>The image was not built for this kind of machine.</source>
        <translation>Das Image wurde nicht für diese Art von Rechner gebaut.</translation>
    </message>
    <message>
        <source>Choose an image that offers this architecture.</source>
        <translation>Wählen Sie ein Image, das es für diese Architektur gibt.</translation>
    </message>
    <message>
        <source>The registry or something on the way altered the data, or storage is faulty.</source>
        <translation>Die Registry oder etwas auf dem Weg hat die Daten verändert, oder ein Datenträger ist defekt.</translation>
    </message>
    <message>
        <source>Whoever built the image did not sign it, or the signature was not copied along with it.</source>
        <translation>Wer das Image erstellt hat, hat es nicht signiert, oder die Signatur wurde nicht mit kopiert.</translation>
    </message>
    <message>
        <source>The image was signed with another key or for another name, or was replaced by somebody else.</source>
        <translation>Das Image wurde mit einem anderen Schlüssel oder für einen anderen Namen signiert oder von jemand anderem ausgetauscht.</translation>
    </message>
    <message>
        <source>The policy for container images does not let this image through, or cannot be understood.</source>
        <translation>Die Richtlinie für Container-Images lässt dieses Image nicht zu oder ist nicht verständlich.</translation>
    </message>
    <message>
        <source>Without the registry only signatures on this medium can be verified, and there is none for this image.</source>
        <translation>Ohne die Registry können nur Signaturen auf diesem Medium geprüft werden, und für dieses Image gibt es keine.</translation>
    </message>
    <message>
        <source>This kind of signature cannot be verified by the installer, which therefore refuses the image.</source>
        <translation>Diese Art von Signatur kann das Installationsprogramm nicht prüfen und lehnt das Image deshalb ab.</translation>
    </message>
    <message>
        <source>Try again; if it stays, report it to whoever runs the registry.</source>
        <translation>Versuchen Sie es noch einmal; bleibt es dabei, melden Sie es dem Betreiber der Registry.</translation>
    </message>
    <message>
        <source>Ask whoever builds the image to sign it with cosign, or choose another image.</source>
        <translation>Bitten Sie, wer das Image erstellt, es mit cosign zu signieren, oder wählen Sie ein anderes Image.</translation>
    </message>
    <message>
        <source>Do not install it before whoever builds the image has told which key signs it.</source>
        <translation>Installieren Sie es nicht, bevor geklärt ist, mit welchem Schlüssel das Image signiert wird.</translation>
    </message>
    <message>
        <source>Choose another image, or ask whoever made this system to correct the policy.</source>
        <translation>Wählen Sie ein anderes Image oder bitten Sie, wer dieses System erstellt hat, die Richtlinie zu berichtigen.</translation>
    </message>
    <message>
        <source>Connect to the network and try again, or use an installation medium that was made with the image&apos;s signatures.</source>
        <translation>Stellen Sie eine Netzwerkverbindung her und versuchen Sie es erneut, oder benutzen Sie ein Installationsmedium, das mit den Signaturen des Images erstellt wurde.</translation>
    </message>
    <message>
        <source>Sign the image with a cosign key and let the policy demand `sigstoreSigned` with `keyPath`.</source>
        <translation>Signieren Sie das Image mit einem cosign-Schlüssel und lassen Sie die Richtlinie `sigstoreSigned` mit `keyPath` verlangen.</translation>
    </message>
    <message>
        <source>The connection broke or stalled too often.</source>
        <translation>Die Verbindung ist zu oft abgebrochen oder ins Stocken geraten.</translation>
    </message>
    <message>
        <source>Check the network connection and start again.</source>
        <translation>Prüfen Sie die Netzwerkverbindung und beginnen Sie noch einmal.</translation>
    </message>
    <message>
        <source>The server is no OCI registry, or a proxy answers in its place.</source>
        <translation>Der Server ist keine OCI-Registry, oder ein Proxy antwortet an seiner Stelle.</translation>
    </message>
    <message>
        <source>Check the address; a captive portal of the network may be in the way.</source>
        <translation>Prüfen Sie die Adresse; vielleicht verlangt das Netzwerk zuerst eine Anmeldung im Browser.</translation>
    </message>
    <message>
        <source>The directory is no OCI image layout, or lacks the image.</source>
        <translation>Das Verzeichnis hat nicht den Aufbau eines OCI-Images, oder das Image ist nicht darin.</translation>
    </message>
    <message>
        <source>Check the path and the tag.</source>
        <translation>Prüfen Sie den Pfad und die Marke.</translation>
    </message>
    <message>
        <source>The image is an ordinary container image, or its build left something out.</source>
        <translation>Es ist ein gewöhnliches Container-Image, oder beim Bauen wurde etwas ausgelassen.</translation>
    </message>
    <message>
        <source>Choose a bootable container image, or mend its build as the details say.</source>
        <translation>Wählen Sie ein startfähiges Image, oder verbessern Sie seinen Bau so, wie die Einzelheiten es sagen.</translation>
    </message>
    <message>
        <source>A layer is damaged or uses something that cannot be represented on this file system.</source>
        <translation>Eine Schicht ist beschädigt oder enthält etwas, das auf diesem Dateisystem nicht abgelegt werden kann.</translation>
    </message>
    <message>
        <source>Report it to whoever builds the image.</source>
        <translation>Melden Sie es denen, die das Image bauen.</translation>
    </message>
    <message>
        <source>Nothing is mounted there, so the installation would go into the running system.</source>
        <translation>Dort ist nichts eingehängt, die Installation ginge also in das laufende System.</translation>
    </message>
    <message>
        <source>Mount the target&apos;s root file system there first.</source>
        <translation>Hängen Sie dort zuerst das Wurzeldateisystem des Ziels ein.</translation>
    </message>
    <message>
        <source>The target is a bind mount, a directory or the running system itself.</source>
        <translation>Das Ziel ist eine Bind-Einhängung, ein Verzeichnis oder das laufende System selbst.</translation>
    </message>
    <message>
        <source>Mount a file system of its own, freshly made, as the target.</source>
        <translation>Hängen Sie als Ziel ein eigenes, frisch angelegtes Dateisystem ein.</translation>
    </message>
    <message>
        <source>Something was installed or left there before; even an empty directory counts.</source>
        <translation>Dort wurde schon einmal etwas installiert oder zurückgelassen; auch ein leeres Verzeichnis zählt.</translation>
    </message>
    <message>
        <source>Make a new file system on it (this deletes its contents), mount it and start again.</source>
        <translation>Formatieren Sie das Ziel neu (das löscht seinen Inhalt), hängen Sie es ein und beginnen Sie noch einmal.</translation>
    </message>
    <message>
        <source>An earlier installation was cut off, for example by a power loss.</source>
        <translation>Eine frühere Installation wurde unterbrochen, zum Beispiel durch einen Stromausfall.</translation>
    </message>
    <message>
        <source>Make a new file system on the target and start again; nothing of the earlier attempt is usable.</source>
        <translation>Formatieren Sie das Ziel neu und beginnen Sie noch einmal; vom früheren Versuch ist nichts zu gebrauchen.</translation>
    </message>
    <message>
        <source>bootc installs onto ext4, xfs and btrfs only.</source>
        <translation>bootc installiert nur auf ext4, xfs und btrfs.</translation>
    </message>
    <message>
        <source>Make one of these file systems on the target.</source>
        <translation>Formatieren Sie das Ziel mit einem dieser Dateisysteme.</translation>
    </message>
    <message>
        <source>Beside its file system it has the marks of something older, and the installed system would not find it.</source>
        <translation>Neben ihrem Dateisystem trägt sie noch die Kennung von etwas Älterem, und das installierte System würde sie nicht finden.</translation>
    </message>
    <message>
        <source>Remove the old marks with wipefs(8), or clear the partition with it before making the file system.</source>
        <translation>Entfernen Sie die alte Kennung mit wipefs(8), oder leeren Sie die Partition damit, bevor Sie das Dateisystem anlegen.</translation>
    </message>
    <message>
        <source>The download, the unpacked image and the deployment must fit at the same time.</source>
        <translation>Die geladenen Daten, das entpackte Image und die Bereitstellung müssen gleichzeitig Platz haben.</translation>
    </message>
    <message>
        <source>Choose a larger partition or a smaller image.</source>
        <translation>Wählen Sie eine größere Partition oder ein kleineres Image.</translation>
    </message>
    <message>
        <source>The file system is mounted read-only, or has errors.</source>
        <translation>Das Dateisystem ist schreibgeschützt eingehängt oder hat Fehler.</translation>
    </message>
    <message>
        <source>Mount it read-write and start again.</source>
        <translation>Hängen Sie es beschreibbar ein und beginnen Sie noch einmal.</translation>
    </message>
    <message>
        <source>Something on it is mounted, is swap, or belongs to a volume group, an array or an encrypted volume that is open.</source>
        <translation>Etwas darauf ist eingehängt, ist Swap oder gehört zu einer Datenträgergruppe, einem Verbund oder einem geöffneten verschlüsselten Datenträger.</translation>
    </message>
    <message>
        <source>Unmount or close it first, or choose another disk.</source>
        <translation>Hängen Sie es zuerst aus oder schließen Sie es, oder wählen Sie ein anderes Laufwerk.</translation>
    </message>
    <message>
        <source>There are partitions or file systems on it, and nobody has agreed to lose them.</source>
        <translation>Darauf sind Partitionen oder Dateisysteme, und niemand hat zugestimmt, sie zu verlieren.</translation>
    </message>
    <message>
        <source>Choose another disk, or agree with --wipe that everything on it is lost.</source>
        <translation>Wählen Sie ein anderes Laufwerk, oder stimmen Sie mit --wipe zu, dass alles darauf verloren geht.</translation>
    </message>
    <message>
        <source>It is no whole disk, or cannot be written.</source>
        <translation>Es ist kein ganzes Laufwerk oder kann nicht beschrieben werden.</translation>
    </message>
    <message>
        <source>Name a whole disk such as /dev/sda; lsblk lists them.</source>
        <translation>Nennen Sie ein ganzes Laufwerk, zum Beispiel /dev/sda; lsblk zählt sie auf.</translation>
    </message>
    <message>
        <source>The disk is not connected, in use, or another one than the recipe describes.</source>
        <translation>Das Laufwerk ist nicht angeschlossen, in Benutzung oder ein anderes, als das Rezept beschreibt.</translation>
    </message>
    <message>
        <source>Compare the disks in the details with the section `disk` of the recipe.</source>
        <translation>Vergleichen Sie die Laufwerke in den Einzelheiten mit dem Abschnitt `disk` des Rezepts.</translation>
    </message>
    <message>
        <source>The recipe describes more than one of the disks of this machine.</source>
        <translation>Das Rezept beschreibt mehr als eines der Laufwerke dieses Rechners.</translation>
    </message>
    <message>
        <source>Describe the disk more precisely, or name it by its link below /dev/disk/by-id.</source>
        <translation>Beschreiben Sie das Laufwerk genauer, oder nennen Sie es mit seinem Verweis unter /dev/disk/by-id.</translation>
    </message>
    <message>
        <source>An earlier disk image has the same name.</source>
        <translation>Ein früheres Laufwerksabbild heißt genauso.</translation>
    </message>
    <message>
        <source>Choose another name, or agree with --overwrite that the file is replaced.</source>
        <translation>Wählen Sie einen anderen Namen, oder stimmen Sie mit --overwrite zu, dass die Datei ersetzt wird.</translation>
    </message>
    <message>
        <source>A tool for disks reported an error.</source>
        <translation>Ein Werkzeug für Laufwerke meldete einen Fehler.</translation>
    </message>
    <message>
        <source>See the details; what was on the disk is lost.</source>
        <translation>Lesen Sie die Einzelheiten; was auf dem Laufwerk war, ist verloren.</translation>
    </message>
    <message>
        <source>UEFI needs a mounted EFI system partition, BIOS a BIOS boot partition on a GPT.</source>
        <translation>UEFI braucht eine eingehängte EFI-Systempartition, ein BIOS eine BIOS-Boot-Partition auf einer GPT.</translation>
    </message>
    <message>
        <source>Add the one that this machine&apos;s firmware needs to the partition layout.</source>
        <translation>Ergänzen Sie die Partitionierung um die, welche die Firmware dieses Rechners braucht.</translation>
    </message>
    <message>
        <source>Kernel and initramfs are on an encrypted file system, which the boot loader cannot open.</source>
        <translation>Kernel und Initramfs liegen auf einem verschlüsselten Dateisystem, das der Bootloader nicht öffnen kann.</translation>
    </message>
    <message>
        <source>Add an unencrypted partition for /boot, for example ext4 with 1 GiB.</source>
        <translation>Fügen Sie eine unverschlüsselte Partition für /boot hinzu, zum Beispiel ext4 mit 1 GiB.</translation>
    </message>
    <message>
        <source>The boot loader&apos;s own tool reported an error.</source>
        <translation>Das Installationsprogramm des Bootloaders hat einen Fehler gemeldet.</translation>
    </message>
    <message>
        <source>See the details; the deployment itself is complete.</source>
        <translation>Sehen Sie in die Einzelheiten; die Bereitstellung selbst ist vollständig.</translation>
    </message>
    <message>
        <source>The image needs more room than was computed, or something else wrote to the target.</source>
        <translation>Das Image braucht mehr Platz als berechnet, oder etwas anderes hat auf das Ziel geschrieben.</translation>
    </message>
    <message>
        <source>Choose a larger partition and start again with a new file system.</source>
        <translation>Wählen Sie eine größere Partition und beginnen Sie mit einem neuen Dateisystem noch einmal.</translation>
    </message>
    <message>
        <source>bootc&apos;s own last error line is in the details.</source>
        <translation>Die letzte Fehlermeldung von bootc steht in den Einzelheiten.</translation>
    </message>
    <message>
        <source>Read the kept log; then make a new file system on the target and start again.</source>
        <translation>Lesen Sie das aufbewahrte Protokoll; formatieren Sie dann das Ziel neu und beginnen Sie noch einmal.</translation>
    </message>
    <message>
        <source>The deployment does not look as expected, or a file in it could not be written.</source>
        <translation>Die Bereitstellung sieht nicht wie erwartet aus, oder eine Datei darin konnte nicht geschrieben werden.</translation>
    </message>
    <message>
        <source>See the details and report it.</source>
        <translation>Sehen Sie in die Einzelheiten und melden Sie den Fehler.</translation>
    </message>
    <message>
        <source>The image lacks a program for it, or protects its files in a way that needs the running system.</source>
        <translation>Dem Abbild fehlt ein Programm dafür, oder es schützt seine Dateien auf eine Weise, die das laufende System braucht.</translation>
    </message>
    <message>
        <source>Choose another image, or leave users, files and units to its first boot.</source>
        <translation>Wählen Sie ein anderes Abbild, oder überlassen Sie Benutzer, Dateien und Units dem ersten Start.</translation>
    </message>
    <message>
        <source>A program of the image reported an error, or a path leads through a link.</source>
        <translation>Ein Programm des Abbilds meldete einen Fehler, oder ein Pfad führt über einen Verweis.</translation>
    </message>
    <message>
        <source>See the details, correct the plan and start again.</source>
        <translation>Lesen Sie die Einzelheiten, berichtigen Sie den Plan und beginnen Sie erneut.</translation>
    </message>
    <message>
        <source>The image&apos;s backend keeps no directory tree that other programs could configure.</source>
        <translation>Das Image wird in einer Form abgelegt, in der andere Programme es nicht einrichten können.</translation>
    </message>
    <message>
        <source>Choose an image with the ostree backend, or install without handing over.</source>
        <translation>Wählen Sie ein Image, das ostree verwendet, oder installieren Sie ohne Übergabe.</translation>
    </message>
    <message>
        <source>Another installation is being configured.</source>
        <translation>Eine andere Installation wird gerade eingerichtet.</translation>
    </message>
    <message>
        <source>Let it end, or close it with `bootc-installer close`.</source>
        <translation>Warten Sie ihr Ende ab, oder schließen Sie sie mit „bootc-installer close“.</translation>
    </message>
    <message>
        <source>A file system could not be mounted into the deployment.</source>
        <translation>Ein Dateisystem konnte nicht in die Bereitstellung eingehängt werden.</translation>
    </message>
    <message>
        <source>The target is still in use, or the disk reported an error while writing.</source>
        <translation>Das Ziel wird noch verwendet, oder der Datenträger hat beim Schreiben einen Fehler gemeldet.</translation>
    </message>
    <message>
        <source>Do not switch the machine off before the disk is idle; see the details.</source>
        <translation>Schalten Sie den Rechner nicht aus, solange der Datenträger arbeitet; sehen Sie in die Einzelheiten.</translation>
    </message>
    <message>
        <source>The installation was asked to stop.</source>
        <translation>Die Installation wurde aufgefordert anzuhalten.</translation>
    </message>
    <message>
        <source>To install after all, start again; once the deployment has begun, with a new file system on the target.</source>
        <translation>Um doch zu installieren, beginnen Sie noch einmal; hatte die Bereitstellung schon begonnen, mit einem neuen Dateisystem auf dem Ziel.</translation>
    </message>
    <message>
        <source>The operating system refused an operation.</source>
        <translation>Das Betriebssystem hat einen Vorgang verweigert.</translation>
    </message>
    <message>
        <source>See the details.</source>
        <translation>Sehen Sie in die Einzelheiten.</translation>
    </message>
    <message>
        <source>This is a defect of the installer.</source>
        <translation>Das ist ein Mangel des Installationsprogramms.</translation>
    </message>
    <message>
        <source>Please report it with the log.</source>
        <translation>Bitte melden Sie ihn zusammen mit dem Protokoll.</translation>
    </message>
    <message>
        <source>Its certificate is not trusted.</source>
        <translation>Dem Zertifikat wird nicht vertraut.</translation>
    </message>
    <message>
        <source>Its certificate is for another host.</source>
        <translation>Das Zertifikat gilt für einen anderen Server.</translation>
    </message>
    <message>
        <source>Its certificate is expired or not valid yet.</source>
        <translation>Das Zertifikat ist abgelaufen oder noch nicht gültig.</translation>
    </message>
    <message>
        <source>The server speaks plain HTTP.</source>
        <translation>Der Server spricht unverschlüsseltes HTTP.</translation>
    </message>
    <message>
        <source>The TLS handshake failed.</source>
        <translation>Der Aufbau der verschlüsselten Verbindung ist gescheitert.</translation>
    </message>
    <message>
        <source>A password or an image would travel where others can read or change it.</source>
        <translation>Ein Passwort oder ein Image ginge einen Weg, auf dem andere es lesen oder ändern können.</translation>
    </message>
    <message>
        <source>Too many images were pulled with this account, or without one from this network&apos;s address.</source>
        <translation>Mit diesem Konto, oder ohne eines von der Adresse dieses Netzwerks aus, wurden zu viele Images geladen.</translation>
    </message>
    <message>
        <source>A rule of the registry holds the image back, for example one about known weaknesses or missing signatures.</source>
        <translation>Eine Regel der Registry hält das Image zurück, zum Beispiel eine über bekannte Schwachstellen oder fehlende Signaturen.</translation>
    </message>
    <message>
        <source>Wait, or log in to the registry to raise the limit.</source>
        <translation>Warten Sie, oder melden Sie sich bei der Registry an, um die Grenze anzuheben.</translation>
    </message>
    <message>
        <source>Wait, or log in with an account that has a higher limit.</source>
        <translation>Warten Sie, oder melden Sie sich mit einem Konto an, das eine höhere Grenze hat.</translation>
    </message>
    <message>
        <source>Ask whoever runs the registry; trying again does not change the answer.</source>
        <translation>Fragen Sie den Betreiber der Registry; ein neuer Versuch ändert nichts an der Antwort.</translation>
    </message>
    <message>
        <source>Check the address; a proxy or a login page of the network may be in the way.</source>
        <translation>Prüfen Sie die Adresse; ein Proxy oder eine Anmeldeseite des Netzwerks könnte im Weg sein.</translation>
    </message>
    <message>
        <source>Try again later, or ask whoever runs the registry.</source>
        <translation>Versuchen Sie es später noch einmal, oder fragen Sie den Betreiber der Registry.</translation>
    </message>
    <message>
        <source>The registry does not serve the image at the moment.</source>
        <translation>Die Registry liefert das Image zurzeit nicht.</translation>
    </message>
    <message>
        <source>The image has layers of a kind that cannot be installed.</source>
        <translation>Das Image hat Schichten einer Art, die nicht installiert werden kann.</translation>
    </message>
    <message>
        <source>Correct the image reference.</source>
        <translation>Berichtigen Sie die Adresse des Images.</translation>
    </message>
    <message>
        <source>Correct the registry configuration.</source>
        <translation>Berichtigen Sie die Konfiguration der Registry.</translation>
    </message>
    <message>
        <source>Check the spelling of the host and that the network and its DNS server are up.</source>
        <translation>Prüfen Sie die Schreibweise des Servers und ob das Netzwerk und sein DNS-Server arbeiten.</translation>
    </message>
    <message>
        <source>Check host and port, and that the registry is running.</source>
        <translation>Prüfen Sie Server und Port und ob die Registry läuft.</translation>
    </message>
    <message>
        <source>Check that this machine is connected to the network.</source>
        <translation>Prüfen Sie, ob dieser Rechner mit dem Netzwerk verbunden ist.</translation>
    </message>
    <message>
        <source>Check the network and that no firewall or proxy stands in between.</source>
        <translation>Prüfen Sie das Netzwerk und ob eine Firewall oder ein Proxy dazwischen ist.</translation>
    </message>
    <message>
        <source>Add the certificate of the authority that signed it to the configuration (ca).</source>
        <translation>Ergänzen Sie in der Konfiguration das Zertifikat der Stelle, die es ausgestellt hat (ca).</translation>
    </message>
    <message>
        <source>Mend the certificate file that is named, or add the certificate of the authority that signed it to the configuration (ca).</source>
        <translation>Bringen Sie die genannte Zertifikatsdatei in Ordnung, oder nehmen Sie das Zertifikat der Stelle, die es ausgestellt hat, in die Konfiguration auf (ca).</translation>
    </message>
    <message>
        <source>Use the host name that the certificate was made for.</source>
        <translation>Verwenden Sie den Servernamen, für den das Zertifikat ausgestellt ist.</translation>
    </message>
    <message>
        <source>Check the date and time of this machine.</source>
        <translation>Prüfen Sie Datum und Uhrzeit dieses Rechners.</translation>
    </message>
    <message>
        <source>If this registry is meant to be used without encryption, mark it as insecure in the configuration.</source>
        <translation>Soll diese Registry ohne Verschlüsselung benutzt werden, kennzeichnen Sie sie in der Konfiguration als unsicher (insecure).</translation>
    </message>
    <message>
        <source>Check that the address is that of a registry and not of something else.</source>
        <translation>Prüfen Sie, ob die Adresse die einer Registry ist und nicht die von etwas anderem.</translation>
    </message>
    <message>
        <source>Configure credentials for this registry, or check the spelling: many registries ask for a login when a repository does not exist.</source>
        <translation>Melden Sie sich bei dieser Registry an, oder prüfen Sie die Schreibweise: Viele Registrys verlangen eine Anmeldung, wenn es ein Image nicht gibt.</translation>
    </message>
    <message>
        <source>Check user name and password or token, and that they may read this repository.</source>
        <translation>Prüfen Sie Benutzernamen und Passwort oder Token und ob Sie damit dieses Image lesen dürfen.</translation>
    </message>
    <message>
        <source>Check the spelling of the repository and of the tag.</source>
        <translation>Prüfen Sie die Schreibweise des Namens und der Marke.</translation>
    </message>
    <message>
        <source>Tell whoever runs the registry; a proxy or a login page of the network may also be answering in its place.</source>
        <translation>Melden Sie es dem Betreiber der Registry; vielleicht antwortet auch ein Proxy oder eine Anmeldeseite des Netzwerks an ihrer Stelle.</translation>
    </message>
    <message>
        <source>Choose an image that is made for this machine.</source>
        <translation>Wählen Sie ein Image, das für diesen Rechner gemacht ist.</translation>
    </message>
    <message>
        <source>The content was damaged or replaced on its way. Try again; if it stays, tell whoever runs the registry.</source>
        <translation>Der Inhalt wurde unterwegs beschädigt oder ausgetauscht. Versuchen Sie es noch einmal; bleibt es dabei, sagen Sie es dem Betreiber der Registry.</translation>
    </message>
    <message>
        <source>Tell whoever made the image: it does not follow the image specification.</source>
        <translation>Sagen Sie es denen, die das Image gemacht haben: Es hält sich nicht an die Vorgaben für Images.</translation>
    </message>
    <message>
        <source>Build the image with plain, gzip or zstd compressed layers.</source>
        <translation>Bauen Sie das Image mit Schichten, die unkomprimiert oder mit gzip oder zstd komprimiert sind.</translation>
    </message>
    <message>
        <source>Wait, or log in to the registry to raise the limit.</source>
        <translation>Warten Sie, oder melden Sie sich an der Registry an, um die Grenze anzuheben.</translation>
    </message>
    <message>
        <source>Try again later, or ask whoever runs the registry.</source>
        <translation>Versuchen Sie es später noch einmal, oder fragen Sie den Betreiber der Registry.</translation>
    </message>
    <message>
        <source>Start again when ready.</source>
        <translation>Beginnen Sie noch einmal, wann Sie möchten.</translation>
    </message>
    <message>
        <source>The path is misspelt, or its permissions are too strict.</source>
        <translation>Der Pfad ist falsch geschrieben, oder die Zugriffsrechte sind zu streng.</translation>
    </message>
    <message>
        <source>Correct the key `ca` or the option --ca.</source>
        <translation>Berichtigen Sie den Schlüssel „ca“ oder die Option --ca.</translation>
    </message>
    <message>
        <source>The medium or the copy of the image is damaged.</source>
        <translation>Das Medium oder die Kopie des Images ist beschädigt.</translation>
    </message>
    <message>
        <source>Check the medium, or make a new copy of the image.</source>
        <translation>Prüfen Sie das Medium, oder machen Sie eine neue Kopie des Images.</translation>
    </message>
    <message>
        <source>The image reference is empty; write it as host/name:tag.</source>
        <translation>Die Adresse des Images ist leer; schreiben Sie sie als Server/Name:Marke.</translation>
    </message>
    <message>
        <source>The repository name is missing; write host/name:tag.</source>
        <translation>Der Name des Images fehlt; schreiben Sie Server/Name:Marke.</translation>
    </message>
    <message>
        <source>A reference cannot hold a user name or password; put them into an auth file.</source>
        <translation>Eine Adresse kann keinen Benutzernamen und kein Passwort enthalten; danach wird eigens gefragt.</translation>
    </message>
    <message>
        <source>Registries have no such user names and passwords.</source>
        <translation>Solche Benutzernamen und Passwörter gibt es in keiner Registry.</translation>
    </message>
    <message>
        <source>Type user name and password again.</source>
        <translation>Geben Sie Benutzername und Passwort noch einmal ein.</translation>
    </message>
    <message>
        <source>The package bootc-installer is missing or damaged.</source>
        <translation>Das Paket bootc-installer fehlt oder ist beschädigt.</translation>
    </message>
    <message>
        <source>Install the package bootc-installer, or use another installation medium.</source>
        <translation>Installieren Sie das Paket bootc-installer, oder verwenden Sie ein anderes Installationsmedium.</translation>
    </message>
    <message>
        <source>It was killed, for example because the machine ran out of memory.</source>
        <translation>Es wurde gewaltsam beendet, zum Beispiel weil der Arbeitsspeicher nicht ausreichte.</translation>
    </message>
    <message>
        <source>Start again with a new file system on the target; close other programs first.</source>
        <translation>Beginnen Sie mit einem neuen Dateisystem auf dem Ziel noch einmal; schließen Sie vorher andere Programme.</translation>
    </message>
    <message>
        <source>It is not among the modules&apos; configuration files of this installer.</source>
        <translation>Sie ist nicht unter den Konfigurationsdateien der Module dieses Installationsprogramms.</translation>
    </message>
    <message>
        <source>Report it to whoever made this installation medium.</source>
        <translation>Melden Sie es denen, die dieses Installationsmedium gemacht haben.</translation>
    </message>
    <message>
        <source>The file was changed after the plan was made.</source>
        <translation>Die Datei wurde geändert, nachdem der Plan erstellt war.</translation>
    </message>
    <message>
        <source>Its first line must be the password.</source>
        <translation>Die erste Zeile muss das Passwort sein.</translation>
    </message>
    <message>
        <source>It was copied incompletely, or is a placeholder.</source>
        <translation>Der Wert wurde unvollständig kopiert oder ist ein Platzhalter.</translation>
    </message>
    <message>
        <source>Copy the value from an auth.json file, or give `username` and `password`.</source>
        <translation>Kopieren Sie den Wert aus einer Datei auth.json, oder geben Sie „username“ und „password“ an.</translation>
    </message>
    <message>
        <source>Calamares does not tell one, and there is none on it: formatting it has failed.</source>
        <translation>Calamares nennt keine, und auf dem Gerät ist keine: Das Formatieren ist gescheitert.</translation>
    </message>
    <message>
        <source>Its global storage has no `rootMountPoint`.</source>
        <translation>In seinem globalen Speicher fehlt „rootMountPoint“.</translation>
    </message>
    <message>
        <source>In settings.conf put `partition` and `mount` before `bootc` in `exec`.</source>
        <translation>Stellen Sie in settings.conf unter „exec“ die Module „partition“ und „mount“ vor „bootc“.</translation>
    </message>
    <message>
        <source>No entry of `partitions` in its global storage has the mount point `/`.</source>
        <translation>Kein Eintrag von „partitions“ in seinem globalen Speicher hat den Einhängepunkt „/“.</translation>
    </message>
    <message>
        <source>Calamares has not opened it, or could not read its UUID.</source>
        <translation>Calamares hat sie nicht geöffnet oder konnte ihre UUID nicht lesen.</translation>
    </message>
    <message>
        <source>Its UUID or its name cannot stand on a kernel command line.</source>
        <translation>Ihre UUID oder ihr Name kann nicht auf der Befehlszeile des Kernels stehen.</translation>
    </message>
    <message>
        <source>Start again, and on the partition page let the partition be formatted or leave it out.</source>
        <translation>Beginnen Sie noch einmal, und lassen Sie die Partition auf der Seite zur Partitionierung formatieren oder ganz weg.</translation>
    </message>
    <message>
        <source>It lacks a source or a file system type.</source>
        <translation>Es fehlt die Quelle oder die Art des Dateisystems.</translation>
    </message>
    <message>
        <source>A field contains a line break or another control character.</source>
        <translation>Ein Feld enthält einen Zeilenumbruch oder ein anderes Steuerzeichen.</translation>
    </message>
    <message>
        <source>One of its options is empty.</source>
        <translation>Eine seiner Optionen ist leer.</translation>
    </message>
    <message>
        <source>Swap space has no mount point but `none`.</source>
        <translation>Auslagerungsspeicher hat keinen Einhängepunkt außer `none`.</translation>
    </message>
    <message>
        <source>The mount point is no absolute path.</source>
        <translation>Der Einhängepunkt ist kein absoluter Pfad.</translation>
    </message>
    <message>
        <source>The root file system is mounted by bootc itself; a line for it breaks the boot.</source>
        <translation>Das Wurzeldateisystem wird von bootc selbst eingehängt; ein Eintrag dafür verhindert den Start.</translation>
    </message>
    <message>
        <source>A file system of its own for /var would hide what the image brings in /var.</source>
        <translation>Ein eigenes Dateisystem für /var würde verdecken, was das Image in /var mitbringt.</translation>
    </message>
    <message>
        <source>This directory belongs to the deployment.</source>
        <translation>Dieses Verzeichnis gehört zur Bereitstellung.</translation>
    </message>
    <message>
        <source>There are two entries for this mount point.</source>
        <translation>Für diesen Einhängepunkt gibt es zwei Einträge.</translation>
    </message>
    <message>
        <source>Remove or correct the entry.</source>
        <translation>Entfernen oder berichtigen Sie den Eintrag.</translation>
    </message>
    <message>
        <source>The image has no such directory, and its root is read-only.</source>
        <translation>Das Image hat kein solches Verzeichnis, und seine Wurzel ist schreibgeschützt.</translation>
    </message>
    <message>
        <source>Choose a mount point below /var.</source>
        <translation>Wählen Sie einen Einhängepunkt unterhalb von /var.</translation>
    </message>
    <message>
        <source>Nothing is left of the file: start again whenever you like.</source>
        <translation>Von der Datei ist nichts geblieben: Beginnen Sie erneut, wann immer Sie möchten.</translation>
    </message>
    <message>
        <source>It does not have the label `containers.bootc=1`, so it is an ordinary container image.</source>
        <translation>Es hat nicht die Kennzeichnung „containers.bootc=1“, ist also ein gewöhnliches Container-Image.</translation>
    </message>
    <message>
        <source>It tells what is on the target&apos;s disk.</source>
        <translation>Es sagt, was auf dem Datenträger des Ziels ist.</translation>
    </message>
    <message>
        <source>It tells the disk which blocks are unused.</source>
        <translation>Es sagt dem Datenträger, welche Blöcke unbenutzt sind.</translation>
    </message>
    <message>
        <source>Install the package util-linux and try again.</source>
        <translation>Installieren Sie das Paket util-linux und versuchen Sie es noch einmal.</translation>
    </message>
    <message>
        <source>The live system lacks a package.</source>
        <translation>Im Live-System fehlt ein Paket.</translation>
    </message>
    <message>
        <source>The path is misspelt, or the target was not mounted.</source>
        <translation>Der Pfad ist falsch geschrieben, oder das Ziel wurde nicht eingehängt.</translation>
    </message>
    <message>
        <source>Installing there would overwrite the running system.</source>
        <translation>Eine Installation dorthin würde das laufende System überschreiben.</translation>
    </message>
    <message>
        <source>It is a bind mount, and bootc installs onto whole file systems.</source>
        <translation>Es ist eine Bind-Einhängung, und bootc installiert auf ganze Dateisysteme.</translation>
    </message>
    <message>
        <source>bootc refuses an empty directory that is no mount point as well.</source>
        <translation>bootc lehnt auch ein leeres Verzeichnis ab, das kein Einhängepunkt ist.</translation>
    </message>
    <message>
        <source>It is left over from an earlier attempt or mounted by hand.</source>
        <translation>Es ist von einem früheren Versuch übrig oder von Hand eingehängt.</translation>
    </message>
    <message>
        <source>Unmount it, make a new file system on the target and start again.</source>
        <translation>Hängen Sie es aus, formatieren Sie das Ziel neu und beginnen Sie noch einmal.</translation>
    </message>
    <message>
        <source>Everything mounted at or below the target must be a partition or volume of its own.</source>
        <translation>Alles, was am Ziel oder darunter eingehängt ist, muss eine eigene Partition oder ein eigener Datenträger sein.</translation>
    </message>
    <message>
        <source>Unmount it and start again.</source>
        <translation>Hängen Sie es aus und beginnen Sie noch einmal.</translation>
    </message>
    <message>
        <source>Installing would overwrite what it is installed from.</source>
        <translation>Die Installation würde überschreiben, woraus installiert wird.</translation>
    </message>
    <message>
        <source>Mount another file system as the target.</source>
        <translation>Hängen Sie ein anderes Dateisystem als Ziel ein.</translation>
    </message>
    <message>
        <source>The path is misspelt, or the medium with it is not mounted.</source>
        <translation>Der Pfad ist falsch geschrieben, oder das Medium ist nicht eingehängt.</translation>
    </message>
    <message>
        <source>Correct the path, or leave it out: the image is then unpacked on the target.</source>
        <translation>Berichtigen Sie den Pfad, oder lassen Sie ihn weg: Das Image wird dann auf dem Ziel entpackt.</translation>
    </message>
    <message>
        <source>It must be a directory; only what is put into it is removed at the end.</source>
        <translation>Es muss ein Verzeichnis sein; nur was dort abgelegt wird, wird am Ende entfernt.</translation>
    </message>
    <message>
        <source>bootc installs only onto a file system with nothing else on it.</source>
        <translation>bootc installiert nur auf ein Dateisystem, auf dem sonst nichts ist.</translation>
    </message>
    <message>
        <source>It is read-only or belongs to somebody else.</source>
        <translation>Es ist schreibgeschützt oder gehört jemand anderem.</translation>
    </message>
    <message>
        <source>Choose another directory, or leave it out to use the target.</source>
        <translation>Wählen Sie ein anderes Verzeichnis, oder lassen Sie es weg, um das Ziel zu verwenden.</translation>
    </message>
    <message>
        <source>The layout was made anew after the plan, or is another one.</source>
        <translation>Die Kopie des Images wurde nach dem Plan neu gemacht oder ist eine andere.</translation>
    </message>
    <message>
        <source>Mount the EFI system partition at boot/efi below the target, or add a BIOS boot partition; without a boot loader of ours choose `none`.</source>
        <translation>Hängen Sie die EFI-Systempartition am Ziel unter boot/efi ein, oder fügen Sie eine BIOS-Boot-Partition hinzu; soll kein Bootloader installiert werden, wählen Sie „none“.</translation>
    </message>
    <message>
        <source>No vfat file system is mounted at boot/efi, efi or boot below the target.</source>
        <translation>Am Ziel ist unter boot/efi, efi oder boot kein vfat-Dateisystem eingehängt.</translation>
    </message>
    <message>
        <source>Mount the EFI system partition there, or choose another boot loader.</source>
        <translation>Hängen Sie dort die EFI-Systempartition ein, oder wählen Sie einen anderen Bootloader.</translation>
    </message>
    <message>
        <source>Kernel, initramfs and boot loader go there.</source>
        <translation>Kernel, Initramfs und Bootloader kommen dorthin.</translation>
    </message>
    <message>
        <source>Make that partition larger; 1 GB leaves room for updates.</source>
        <translation>Machen Sie diese Partition größer; 1 GB lässt Platz für Aktualisierungen.</translation>
    </message>
    <message>
        <source>systemd-boot is installed from the image itself, by its bootctl.</source>
        <translation>systemd-boot wird aus dem Image selbst installiert, durch dessen bootctl.</translation>
    </message>
    <message>
        <source>Choose GRUB as the boot loader, or an image with systemd-boot.</source>
        <translation>Wählen Sie GRUB als Bootloader, oder ein Image mit systemd-boot.</translation>
    </message>
    <message>
        <source>systemd-boot starts from a mounted EFI system partition only.</source>
        <translation>systemd-boot startet nur von einer eingehängten EFI-Systempartition.</translation>
    </message>
    <message>
        <source>Add an EFI system partition to the partition layout.</source>
        <translation>Fügen Sie bei der Partitionierung eine EFI-Systempartition hinzu.</translation>
    </message>
    <message>
        <source>GRUB must be version 2.14 or later, which reads boot loader entries.</source>
        <translation>GRUB muss mindestens Version 2.14 sein; erst sie liest die Boot-Einträge.</translation>
    </message>
    <message>
        <source>Choose an image with such a GRUB (Debian: grub-pc-bin, grub-efi-amd64-bin, grub2-common), or install it in the live system.</source>
        <translation>Wählen Sie ein Image mit einem solchen GRUB (Debian: grub-pc-bin, grub-efi-amd64-bin, grub2-common), oder installieren Sie es im Live-System.</translation>
    </message>
    <message>
        <source>The paths in boot loader entries are those of the file system&apos;s top level.</source>
        <translation>Die Pfade in den Boot-Einträgen gelten von der obersten Ebene des Dateisystems an.</translation>
    </message>
    <message>
        <source>Add a file system of its own for /boot, for example ext4 with 1 GiB, or do not use a subvolume for the root.</source>
        <translation>Fügen Sie ein eigenes Dateisystem für /boot hinzu, zum Beispiel ext4 mit 1 GiB, oder verwenden Sie für die Wurzel kein Subvolume.</translation>
    </message>
    <message>
        <source>Choose another place for the boot loader: a whole disk with a BIOS boot partition of 1 MiB or more on its GPT, or an msdos table with 1 MiB before its first partition.</source>
        <translation>Wählen Sie einen anderen Ort für den Bootloader: eine ganze Festplatte mit einer BIOS-Boot-Partition von mindestens 1 MiB auf ihrer GPT oder mit einer msdos-Tabelle und 1 MiB vor der ersten Partition.</translation>
    </message>
    <message>
        <source>The first sectors of a partition have no room for GRUB, and often hold a boot loader already.</source>
        <translation>Die ersten Sektoren einer Partition haben keinen Platz für GRUB, und oft liegt dort schon ein Bootloader.</translation>
    </message>
    <message>
        <source>It was chosen for the boot loader, and no other disk is written to in its place.</source>
        <translation>Sie wurde für den Bootloader gewählt, und an ihrer Stelle wird auf keine andere Festplatte geschrieben.</translation>
    </message>
    <message>
        <source>This image&apos;s own boot loader goes onto the disk with the root file system, and would replace what starts from there.</source>
        <translation>Der eigene Bootloader dieses Images kommt auf die Festplatte mit dem Wurzeldateisystem und würde ersetzen, was von dort startet.</translation>
    </message>
    <message>
        <source>Choose the disk with the root file system for the boot loader, or install the root on the other disk.</source>
        <translation>Wählen Sie für den Bootloader die Festplatte mit dem Wurzeldateisystem, oder installieren Sie die Wurzel auf die andere Festplatte.</translation>
    </message>
    <message>
        <source>It belongs to another system, whose boot menu would be replaced.</source>
        <translation>Es gehört zu einem anderen System, dessen Bootmenü ersetzt würde.</translation>
    </message>
    <message>
        <source>Choose another partition for /boot, or have this one formatted.</source>
        <translation>Wählen Sie eine andere Partition für /boot, oder lassen Sie diese formatieren.</translation>
    </message>
    <message>
        <source>GRUB finds it by its UUID.</source>
        <translation>GRUB findet es anhand seiner UUID.</translation>
    </message>
    <message>
        <source>Make a new file system on it.</source>
        <translation>Formatieren Sie es neu.</translation>
    </message>
    <message>
        <source>The image&apos;s own skopeo would refuse every image, also the one to be installed.</source>
        <translation>Das skopeo des Images würde jedes Image ablehnen, auch das zu installierende.</translation>
    </message>
    <message>
        <source>To install after all, make a new file system on the target and start again.</source>
        <translation>Um doch zu installieren, formatieren Sie das Ziel neu und beginnen Sie noch einmal.</translation>
    </message>
    <message>
        <source>The target is as it was: start again whenever you like.</source>
        <translation>Das Ziel ist, wie es war: Beginnen Sie noch einmal, wann Sie möchten.</translation>
    </message>
    <message>
        <source>The image lacks a package.</source>
        <translation>Im Image fehlt ein Paket.</translation>
    </message>
    <message>
        <source>Add it to the image&apos;s build.</source>
        <translation>Es muss beim Bauen des Images hinzugefügt werden.</translation>
    </message>
    <message>
        <source>This process may not make mounts and namespaces, even if its user is root.</source>
        <translation>Dieses Programm darf nichts einhängen und keine Namensräume anlegen, auch nicht als root.</translation>
    </message>
    <message>
        <source>This kernel has no vfat, and the image&apos;s own boot loader is written to a mounted partition.</source>
        <translation>Dieser Kernel hat kein vfat, und der Bootloader des Abbilds wird auf eine eingehängte Partition geschrieben.</translation>
    </message>
    <message>
        <source>Install it on a machine whose kernel has vfat.</source>
        <translation>Installieren Sie es auf einem Rechner, dessen Kernel vfat hat.</translation>
    </message>
    <message>
        <source>It unpacks to more than any real layer of its size.</source>
        <translation>Sie wird beim Entpacken größer als jede echte Schicht ihrer Größe.</translation>
    </message>
    <message>
        <source>It is no squashfs or erofs image, it is damaged, or the kernel lacks the file system.</source>
        <translation>Es ist kein squashfs- oder erofs-Abbild, es ist beschädigt, oder dem Kernel fehlt das Dateisystem.</translation>
    </message>
    <message>
        <source>Check the file against its checksum, or run without a runtime root.</source>
        <translation>Prüfen Sie die Datei anhand ihrer Prüfsumme, oder arbeiten Sie ohne bereitliegendes System.</translation>
    </message>
    <message>
        <source>Its build removed a directory that every system has.</source>
        <translation>Beim Bauen wurde ein Verzeichnis entfernt, das jedes System hat.</translation>
    </message>
    <message>
        <source>Add the empty directory to the image&apos;s build.</source>
        <translation>Das leere Verzeichnis muss beim Bauen des Images hinzugefügt werden.</translation>
    </message>
    <message>
        <source>Another version of the installer wrote it.</source>
        <translation>Eine andere Version des Installationsprogramms hat sie geschrieben.</translation>
    </message>
    <message>
        <source>Another program made it.</source>
        <translation>Ein anderes Programm hat es angelegt.</translation>
    </message>
    <message>
        <source>Remove it and start again.</source>
        <translation>Entfernen Sie es und beginnen Sie noch einmal.</translation>
    </message>
    <message>
        <source>Something was mounted or moved there while the installation ran.</source>
        <translation>Während der Installation wurde dort etwas eingehängt oder verschoben.</translation>
    </message>
    <message>
        <source>Remove the scratch directory by hand.</source>
        <translation>Entfernen Sie das Arbeitsverzeichnis von Hand.</translation>
    </message>
    <message>
        <source>The disk reported an error.</source>
        <translation>Der Datenträger hat einen Fehler gemeldet.</translation>
    </message>
    <message>
        <source>A program still uses it.</source>
        <translation>Ein Programm verwendet es noch.</translation>
    </message>
    <message>
        <source>End the named programs, then unmount it; the installation itself is complete.</source>
        <translation>Beenden Sie die genannten Programme und hängen Sie es dann aus; die Installation selbst ist vollständig.</translation>
    </message>
    <message>
        <source>Something mounted it again meanwhile.</source>
        <translation>Inzwischen hat es etwas erneut eingehängt.</translation>
    </message>
    <message>
        <source>Unmount it; the installation itself is complete.</source>
        <translation>Hängen Sie es aus; die Installation selbst ist vollständig.</translation>
    </message>
    <message>
        <source>It is not the mount point of a target.</source>
        <translation>Es ist nicht der Einhängepunkt eines Ziels.</translation>
    </message>
    <message>
        <source>Name the directory where the target&apos;s root file system is mounted.</source>
        <translation>Nennen Sie das Verzeichnis, in dem das Wurzeldateisystem des Ziels eingehängt ist.</translation>
    </message>
</context>
<context>
    <name>Facts</name>
    <message>
        <source>Name</source>
        <translation>Name</translation>
    </message>
    <message>
        <source>not stated</source>
        <translation>nicht angegeben</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>Version</translation>
    </message>
    <message>
        <source>Built</source>
        <translation>Erstellt</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>Adresse</translation>
    </message>
    <message>
        <source>Digest</source>
        <translation>Digest</translation>
    </message>
    <message>
        <source>Signature</source>
        <translation>Signatur</translation>
    </message>
    <message>
        <source>verified (key %1)</source>
        <translation>geprüft (Schlüssel %1)</translation>
    </message>
    <message>
        <source>not verified: the configuration turns that off</source>
        <translation>nicht geprüft: die Konfiguration schaltet das ab</translation>
    </message>
    <message>
        <source>not verified: this installer has no key for it</source>
        <translation>nicht geprüft: dieses Installationsprogramm hat keinen Schlüssel dafür</translation>
    </message>
    <message>
        <source>Architecture</source>
        <translation>Architektur</translation>
    </message>
    <message>
        <source>To download</source>
        <translation>Herunterzuladen</translation>
    </message>
    <message numerus="yes">
        <source>%1 in %n layer(s)</source>
        <translation>
            <numerusform>%1 in %n Schicht</numerusform>
            <numerusform>%1 in %n Schichten</numerusform>
        </translation>
    </message>
    <message>
        <source>nothing: all %1 are on this medium</source>
        <translation>nichts: alle %1 sind auf diesem Medium</translation>
    </message>
    <message>
        <source>%1, since %2 of %3 are on this medium</source>
        <translation>%1, denn %2 von %3 sind auf diesem Medium</translation>
    </message>
    <message>
        <source>The registry, the server with this image, cannot be reached. The copy on this medium will be installed.</source>
        <translation>Die Registry, der Server mit diesem Image, ist nicht erreichbar. Die Kopie auf diesem Medium wird installiert.</translation>
    </message>
    <message>
        <source>The registry, the server with this image, cannot be reached. The copy on this medium will be installed; it was built on %1.</source>
        <translation>Die Registry, der Server mit diesem Image, ist nicht erreichbar. Die Kopie auf diesem Medium wird installiert; sie wurde am %1 erstellt.</translation>
    </message>
    <message>
        <source>Space needed</source>
        <translation>Platzbedarf</translation>
    </message>
    <message>
        <source>This image can be installed.</source>
        <translation>Dieses Image kann installiert werden.</translation>
    </message>
</context>
<context>
    <name>Login</name>
    <message>
        <source>Log in at %1</source>
        <translation>Anmelden bei %1</translation>
    </message>
    <message>
        <source>User name</source>
        <translation>Benutzername</translation>
    </message>
    <message>
        <source>User name at the registry</source>
        <translation>Benutzername bei der Registry</translation>
    </message>
    <message>
        <source>Password or token</source>
        <translation>Passwort oder Token</translation>
    </message>
    <message>
        <source>Password or token at the registry</source>
        <translation>Passwort oder Token bei der Registry</translation>
    </message>
    <message>
        <source>Keep this login in the installed system, so that it gets updates</source>
        <translation>Diese Anmeldung im installierten System behalten, damit es Aktualisierungen bekommt</translation>
    </message>
    <message>
        <source>&amp;Log in and check</source>
        <translation>An&amp;melden und prüfen</translation>
    </message>
    <message>
        <source>Log in and check</source>
        <translation>Anmelden und prüfen</translation>
    </message>
</context>
<context>
    <name>Page</name>
    <message>
        <source>Which system do you want to install?</source>
        <translation>Welches System möchten Sie installieren?</translation>
    </message>
    <message>
        <source>Or another image, by its address (reference):</source>
        <translation>Oder ein anderes Image, über seine Adresse (Referenz):</translation>
    </message>
    <message>
        <source>Address (reference) of the image to install:</source>
        <translation>Adresse (Referenz) des Images, das installiert werden soll:</translation>
    </message>
    <message>
        <source>Image address</source>
        <translation>Adresse des Images</translation>
    </message>
    <message>
        <source>Chec&amp;k</source>
        <translation>&amp;Prüfen</translation>
    </message>
    <message>
        <source>Check</source>
        <translation>Prüfen</translation>
    </message>
    <message>
        <source>Looks the image up on its server, the registry</source>
        <translation>Sucht das Image auf seinem Server, der Registry</translation>
    </message>
    <message>
        <source>Looking the image up…</source>
        <translation>Das Image wird gesucht …</translation>
    </message>
    <message>
        <source>Try &amp;again</source>
        <translation>Erneut &amp;versuchen</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Erneut versuchen</translation>
    </message>
</context>
<context>
    <name>ProgressText</name>
    <message>
        <source>Checking the image and the disk</source>
        <comment>@status</comment>
        <translation>Image und Datenträger werden geprüft</translation>
    </message>
    <message>
        <source>Preparing the disk</source>
        <comment>@status</comment>
        <translation>Der Datenträger wird vorbereitet</translation>
    </message>
    <message>
        <source>Downloading %1 of %2</source>
        <comment>@status</comment>
        <translation>%1 von %2 heruntergeladen</translation>
    </message>
    <message>
        <source>Downloading the image</source>
        <comment>@status</comment>
        <translation>Das Image wird heruntergeladen</translation>
    </message>
    <message>
        <source>Unpacking %1 of %2</source>
        <comment>@status</comment>
        <translation>%1 von %2 entpackt</translation>
    </message>
    <message>
        <source>Partitioning the disk</source>
        <comment>@status</comment>
        <translation>Der Datenträger wird partitioniert</translation>
    </message>
    <message>
        <source>Unpacking the image</source>
        <comment>@status</comment>
        <translation>Das Image wird entpackt</translation>
    </message>
    <message>
        <source>Installing %1 of %2</source>
        <comment>@status</comment>
        <translation>%1 von %2 installiert</translation>
    </message>
    <message>
        <source>Installing the image</source>
        <comment>@status</comment>
        <translation>Das Image wird installiert</translation>
    </message>
    <message>
        <source>Installing the boot loader</source>
        <comment>@status</comment>
        <translation>Der Bootloader wird installiert</translation>
    </message>
    <message>
        <source>Configuring the system</source>
        <comment>@status</comment>
        <translation>Das System wird eingerichtet</translation>
    </message>
    <message>
        <source>Preparing the settings</source>
        <comment>@status</comment>
        <translation>Die Einstellungen werden vorbereitet</translation>
    </message>
    <message>
        <source>Writing everything to the disk</source>
        <comment>@status</comment>
        <translation>Alles wird auf den Datenträger geschrieben</translation>
    </message>
    <message>
        <source>The installation is running</source>
        <comment>@status</comment>
        <translation>Die Installation läuft</translation>
    </message>
    <message>
        <source>%1/s</source>
        <comment>data rate</comment>
        <translation>%1/s</translation>
    </message>
    <message numerus="yes">
        <source>%n s left</source>
        <comment>seconds</comment>
        <translation>
            <numerusform>noch %n s</numerusform>
            <numerusform>noch %n s</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>%n min left</source>
        <comment>minutes</comment>
        <translation>
            <numerusform>noch %n min</numerusform>
            <numerusform>noch %n min</numerusform>
        </translation>
    </message>
</context>
<context>
    <name>bootc::SleepInhibitor</name>
    <message>
        <source>An operating system is being installed.</source>
        <translation>Ein Betriebssystem wird installiert.</translation>
    </message>
</context>
<context>
    <name>bootc::StageJob</name>
    <message>
        <source>Download the image</source>
        <comment>@label</comment>
        <translation>Image herunterladen</translation>
    </message>
    <message>
        <source>Install the image</source>
        <comment>@label</comment>
        <translation>Image installieren</translation>
    </message>
    <message>
        <source>Install the boot loader</source>
        <comment>@label</comment>
        <translation>Bootloader installieren</translation>
    </message>
    <message>
        <source>Prepare the settings</source>
        <comment>@label</comment>
        <translation>Einstellungen vorbereiten</translation>
    </message>
    <message>
        <source>The installation was cancelled.</source>
        <translation>Die Installation wurde abgebrochen.</translation>
    </message>
</context>
<context>
    <name>bootc::StopDialog</name>
    <message>
        <source>Cancelling</source>
        <comment>@title</comment>
        <translation>Abbruch</translation>
    </message>
    <message>
        <source>The installation is being stopped and the disks are being released.</source>
        <comment>@info</comment>
        <translation>Die Installation wird angehalten, und die Datenträger werden freigegeben.</translation>
    </message>
</context>
<context>
    <name>bootc::Translator</name>
    <message>
        <source>&lt;h1&gt;All done.&lt;/h1&gt;&lt;br/&gt;%1 has been installed on your computer.&lt;br/&gt;Restart, and take the installation medium out as soon as the screen goes dark: then %2 starts from the disk.</source>
        <translation>&lt;h1&gt;Alles erledigt.&lt;/h1&gt;&lt;br/&gt;%1 wurde auf Ihrem Computer installiert.&lt;br/&gt;Starten Sie neu, und entfernen Sie das Installationsmedium, sobald der Bildschirm dunkel wird: Dann startet %2 von der Festplatte.</translation>
    </message>
</context>
</TS>
