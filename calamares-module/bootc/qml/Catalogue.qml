// SPDX-License-Identifier: GPL-3.0-or-later
// The images that the distribution offers.
import QtQuick
import QtQuick.Controls
import QtQuick.Controls.impl
import QtQuick.Layouts

ColumnLayout {
    id: catalogue

    property var entries: []
    readonly property int chosen: Math.max(0, entries.findIndex(entry => entry.reference === config.reference))
    // The one entry that Tab reaches: where the focus is, else what is chosen.
    property int current: chosen

    spacing: 4

    onChosenChanged: current = chosen

    // Choosing asks the registry, so that the arrow keys only move.
    function move(key) {
        const last = entries.length - 1;
        const to = new Map([
            [Qt.Key_Up, Math.max(0, current - 1)],
            [Qt.Key_Down, Math.min(last, current + 1)],
            [Qt.Key_Home, 0],
            [Qt.Key_End, last]
        ]).get(key);
        if (to !== undefined)
            repeater.itemAt(to).forceActiveFocus(Qt.TabFocusReason);
        return to !== undefined;
    }

    ButtonGroup {
        id: group
    }

    Repeater {
        id: repeater

        model: catalogue.entries

        RadioDelegate {
            id: entry

            required property var modelData
            required property int index

            function choose() {
                config.reference = modelData.reference;
                config.check();
            }

            ButtonGroup.group: group
            focusPolicy: index === catalogue.current ? Qt.StrongFocus : Qt.ClickFocus
            checked: config.reference === modelData.reference
            Layout.fillWidth: true
            Accessible.role: Accessible.RadioButton
            Accessible.focusable: true
            Accessible.name: modelData.name
            Accessible.description: modelData.description
            onClicked: choose()
            onActiveFocusChanged: catalogue.current = activeFocus ? index : catalogue.chosen
            Keys.onPressed: event => event.accepted = catalogue.move(event.key)
            Keys.onReturnPressed: choose()
            Keys.onEnterPressed: choose()

            background: Rectangle {
                color: entry.checked ? palette.alternateBase : "transparent"
                border.color: entry.visualFocus ? palette.highlight : palette.mid
                border.width: entry.visualFocus ? 2 : 1
                radius: 4
            }

            contentItem: RowLayout {
                spacing: 12

                IconImage {
                    visible: status === Image.Ready
                    name: entry.modelData.iconName
                    source: entry.modelData.iconFile ? "file://" + encodeURI(entry.modelData.iconFile) : ""
                    sourceSize: Qt.size(48, 48)
                    fillMode: Image.PreserveAspectFit
                    Layout.preferredHeight: 48
                    Layout.preferredWidth: 48
                    Accessible.ignored: true
                }

                ColumnLayout {
                    spacing: 2
                    Layout.fillWidth: true
                    Layout.rightMargin: 40

                    Label {
                        text: entry.modelData.name
                        textFormat: Text.PlainText
                        font.bold: true
                        wrapMode: Text.Wrap
                        Layout.fillWidth: true
                        Accessible.ignored: true
                    }

                    Label {
                        visible: text.length > 0
                        text: entry.modelData.description
                        textFormat: Text.PlainText
                        wrapMode: Text.Wrap
                        Layout.fillWidth: true
                        Accessible.ignored: true
                    }
                }
            }
        }
    }
}
