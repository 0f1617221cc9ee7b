// SPDX-License-Identifier: GPL-3.0-or-later
// Why the image cannot be installed, and what to do.
import QtQuick
import QtQuick.Controls
import QtQuick.Layouts

Frame {
    id: frame

    property var failure: null

    // In other languages than the engine's a code has a sentence of its own.
    readonly property string sentence: failure === null ? "" : qsTranslate("Engine", failure.code)
    readonly property bool translated: failure !== null && sentence !== failure.code
    readonly property string what: failure === null ? "" : (translated ? sentence : failure.what)
    readonly property string why: failure === null ? "" : qsTranslate("Engine", failure.why)
    readonly property string next: failure === null ? "" : qsTranslate("Engine", failure.next)
    readonly property var facts: failure === null ? []
        : (translated ? [failure.what] : []).concat(failure.details || [])

    padding: 12
    // Read, and scrolled to, by keyboard.
    focusPolicy: Qt.TabFocus
    Accessible.role: Accessible.AlertMessage
    Accessible.focusable: true
    Accessible.name: what

    background: Rectangle {
        color: "transparent"
        border.color: "#b3261e"
        border.width: frame.visualFocus ? 4 : 2
        radius: 4
    }

    ColumnLayout {
        width: parent.width
        spacing: 6

        Label {
            text: frame.what
            textFormat: Text.PlainText
            font.bold: true
            wrapMode: Text.Wrap
            Layout.fillWidth: true
            Accessible.name: text
        }

        Label {
            text: frame.why
            textFormat: Text.PlainText
            wrapMode: Text.Wrap
            Layout.fillWidth: true
            Accessible.name: text
        }

        Label {
            text: frame.next
            textFormat: Text.PlainText
            wrapMode: Text.Wrap
            Layout.fillWidth: true
            Accessible.name: text
        }

        Label {
            text: frame.failure === null ? "" : [frame.failure.code].concat(frame.facts).join("\n")
            textFormat: Text.PlainText
            color: palette.placeholderText
            font.pointSize: Application.font.pointSize * 0.9
            wrapMode: Text.WrapAnywhere
            Layout.fillWidth: true
            Accessible.name: text
        }
    }
}
