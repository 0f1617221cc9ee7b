/* SPDX-License-Identifier: MIT OR Apache-2.0 */
// What pages in QML are made of, for the harness to use.
import QtQuick
import QtQuick.Controls
import QtQuick.Layouts

Page {
    ColumnLayout {
        anchors.fill: parent

        TextField {
            id: field
            Layout.fillWidth: true
            Accessible.name: "Reference"
            onTextEdited: edits.count += 1
        }
        Label { text: "Secret:" }
        // With this echo mode Qt 6.8 tells AT-SPI no name, whatever stands here.
        TextField { id: secret; echoMode: TextInput.Password }
        Label {
            id: edits
            property int count: 0
            text: "Edits: " + (count > 0 ? "some" : "none")
        }
        Label { text: "Secret of " + secret.text.length }
        Button {
            text: "Check"
            enabled: field.text.length > 0
            onClicked: verdict.text = "Checked: " + field.text
        }
        Button {
            text: "Freeze"
            onClicked: {
                const end = Date.now() + 700;
                while (Date.now() < end) { }
                verdict.text = "Thawed";
            }
        }
        Label { id: verdict; text: "Nothing yet" }
        Repeater {
            model: ["Red", "Green"]
            RadioButton { text: modelData; onClicked: verdict.text = "Chosen: " + modelData }
        }
        CheckBox { text: "Keep" }
        ComboBox { model: ["One", "Two"]; Accessible.name: "Number" }
        ListView {
            Layout.fillWidth: true
            height: 80
            model: ["Fedora", "Debian"]
            delegate: ItemDelegate {
                text: modelData
                onClicked: verdict.text = "Item: " + modelData
            }
        }
    }
}
