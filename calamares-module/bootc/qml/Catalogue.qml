// SPDX-License-Identifier: GPL-3.0-or-later
// The images that the distribution offers.
import QtQuick
import QtQuick.Controls
import QtQuick.Controls.impl
import QtQuick.Layouts

ColumnLayout {
    id: catalogue

    property var entries: []

    spacing: 4

    ButtonGroup {
        id: group
    }

    Repeater {
        model: catalogue.entries

        RadioDelegate {
            id: entry

            required property var modelData

            ButtonGroup.group: group
            checked: config.reference === modelData.reference
            Layout.fillWidth: true
            Accessible.role: Accessible.RadioButton
            Accessible.name: modelData.name
            Accessible.description: modelData.description
            onClicked: {
                config.reference = modelData.reference;
                config.check();
            }

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
