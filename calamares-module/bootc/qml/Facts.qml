// SPDX-License-Identifier: GPL-3.0-or-later
// What the registry told about the image.
import QtQuick
import QtQuick.Controls
import QtQuick.Layouts

Frame {
    id: frame

    property var facts: null

    readonly property var rows: facts === null ? [] : [
        [qsTr("Name"), facts.name || qsTr("not stated")],
        [qsTr("Version"), facts.version || qsTr("not stated")],
        [qsTr("Built"), facts.created ? built() : qsTr("not stated")],
        [qsTr("Address"), facts.imgref],
        [qsTr("Digest"), facts.digest],
        [qsTr("Signature"), signature()],
        [qsTr("Architecture"), facts.architecture],
        [qsTr("To download"), download()],
        [qsTr("Space needed"), size(facts.spaceBytes)]
    ]

    function size(bytes) {
        return Qt.locale().formattedDataSize(bytes, bytes < 1e9 ? 0 : 1, Locale.DataSizeSIFormat);
    }

    function built() {
        return new Date(facts.created).toLocaleString(Qt.locale(), Locale.ShortFormat);
    }

    // A signature that is demanded and not right is a failure, not a fact.
    function signature() {
        const found = facts.signature;
        if (found.state === "verified")
            return qsTr("verified (key %1)").arg(found.keys.join(", "));
        if (found.why === "turned-off")
            return qsTr("not verified: the configuration turns that off");
        return qsTr("not verified: this installer has no key for it");
    }

    // What is on the medium comes from there.
    function download() {
        if (!facts.mediumBytes)
            return qsTr("%1 in %n layer(s)", "", facts.layers).arg(size(facts.downloadBytes));
        if (facts.downloadBytes === 0)
            return qsTr("nothing: all %1 are on this medium").arg(size(facts.mediumBytes));
        return qsTr("%1, since %2 of %3 are on this medium")
            .arg(size(facts.downloadBytes))
            .arg(size(facts.mediumBytes))
            .arg(size(facts.downloadBytes + facts.mediumBytes));
    }

    function offline() {
        if (!facts.created)
            return qsTr("The registry, the server with this image, cannot be reached. The copy on this medium will be installed.");
        return qsTr("The registry, the server with this image, cannot be reached. The copy on this medium will be installed; it was built on %1.")
            .arg(built());
    }

    padding: 12
    // Read, and scrolled to, by keyboard.
    focusPolicy: Qt.TabFocus
    Accessible.role: Accessible.Grouping
    Accessible.name: verdict.text
    Accessible.focusable: true

    background: Rectangle {
        color: "transparent"
        border.color: frame.visualFocus ? palette.highlight : palette.mid
        border.width: frame.visualFocus ? 2 : 1
        radius: 4
    }

    ColumnLayout {
        width: parent.width
        spacing: 6

        Label {
            id: verdict

            text: qsTr("This image can be installed.")
            font.bold: true
            wrapMode: Text.Wrap
            Layout.fillWidth: true
            Accessible.name: text
        }

        Repeater {
            model: frame.rows

            RowLayout {
                id: row

                required property var modelData

                spacing: 12
                Layout.fillWidth: true
                Accessible.role: Accessible.StaticText
                Accessible.name: modelData[0] + ": " + modelData[1]

                Label {
                    text: row.modelData[0]
                    color: palette.placeholderText
                    wrapMode: Text.Wrap
                    Layout.alignment: Qt.AlignTop
                    Layout.preferredWidth: 130
                    Accessible.ignored: true
                }

                Label {
                    text: row.modelData[1]
                    // Written by whoever built the image.
                    textFormat: Text.PlainText
                    wrapMode: Text.WrapAnywhere
                    Layout.fillWidth: true
                    Accessible.ignored: true
                }
            }
        }

        Label {
            visible: text.length > 0
            text: frame.facts !== null && frame.facts.offline ? "⚠ " + frame.offline() : ""
            textFormat: Text.PlainText
            wrapMode: Text.Wrap
            Layout.fillWidth: true
            Accessible.name: text
        }

        Repeater {
            model: frame.facts === null ? [] : frame.facts.warnings

            Label {
                required property string modelData

                text: "⚠ " + modelData
                textFormat: Text.PlainText
                wrapMode: Text.Wrap
                Layout.fillWidth: true
                Accessible.name: modelData
            }
        }
    }
}
