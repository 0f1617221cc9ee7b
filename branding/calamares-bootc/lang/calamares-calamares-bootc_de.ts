<?xml version="1.0" encoding="utf-8"?>
<!-- SPDX-License-Identifier: GPL-3.0-or-later -->
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
<context>
    <name>show</name>
    <message>
        <source>Your system is one image</source>
        <translation>Ihr System ist ein Image</translation>
    </message>
    <message>
        <source>Kernel, programs and settings come together, as they were built and tested. The installer downloads this image, checks every part of it and puts it on the disk. Programs in it cannot be changed by accident, because they are read-only.</source>
        <translation>Kernel, Programme und Einstellungen kommen zusammen, so wie sie gebaut und geprüft wurden. Das Installationsprogramm lädt dieses Image herunter, prüft jeden Teil davon und schreibt es auf die Festplatte. Seine Programme können nicht versehentlich verändert werden, denn sie sind schreibgeschützt.</translation>
    </message>
    <message>
        <source>Updates, and the way back</source>
        <translation>Aktualisieren, und der Weg zurück</translation>
    </message>
    <message>
        <source>An update is the next image. It is put beside the running one and starts at the next boot, all of it or nothing. The system before it stays: choose it in the boot menu, or go back with “bootc rollback”.</source>
        <translation>Eine Aktualisierung ist das nächste Image. Es wird neben das laufende gelegt und beim nächsten Start verwendet, ganz oder gar nicht. Das vorige System bleibt erhalten: Wählen Sie es im Startmenü, oder kehren Sie mit „bootc rollback“ dorthin zurück.</translation>
    </message>
    <message>
        <source>Your data stays yours</source>
        <translation>Ihre Daten bleiben Ihre Daten</translation>
    </message>
    <message>
        <source>Your files in /home and the data of services in /var are never replaced by an update. Settings in /etc are kept as well, and merged with those of the new image.</source>
        <translation>Ihre Dateien in /home und die Daten von Diensten in /var werden von keiner Aktualisierung ersetzt. Auch Einstellungen in /etc bleiben erhalten; sie werden mit denen des neuen Images zusammengeführt.</translation>
    </message>
    <message>
        <source>Next slide</source>
        <translation>Nächste Folie</translation>
    </message>
    <message>
        <source>Previous slide</source>
        <translation>Vorige Folie</translation>
    </message>
</context>
</TS>
