// SPDX-License-Identifier: GPL-3.0-or-later
// The page on which the system to install is chosen. `config` is bootc::ImagePage.
import QtQuick
import QtQuick.Controls
import QtQuick.Layouts

Item {
    id: page

    readonly property var entries: JSON.parse(config.catalogue || "[]")
    readonly property bool busy: config.state === "checking"

    // When the page is shown.
    function takeFocus() {
        const first = login.visible ? login : page;
        first.nextItemInFocusChain(true).forceActiveFocus(Qt.TabFocusReason);
    }

    FocusScrollView {
        id: scroll

        anchors.fill: parent
        anchors.margins: 12
        contentWidth: availableWidth

        ColumnLayout {
            width: scroll.availableWidth
            spacing: 12

            Label {
                text: qsTr("Which system do you want to install?")
                font.pointSize: Application.font.pointSize * 1.4
                wrapMode: Text.Wrap
                Layout.fillWidth: true
                Accessible.role: Accessible.Heading
                Accessible.name: text
            }

            Catalogue {
                id: catalogue

                visible: page.entries.length > 0
                entries: page.entries
                Layout.fillWidth: true
            }

            ColumnLayout {
                visible: config.allowOther
                spacing: 4
                Layout.fillWidth: true

                Label {
                    id: referenceLabel

                    text: page.entries.length > 0 ? qsTr("Or another image, by its address (reference):")
                                                  : qsTr("Address (reference) of the image to install:")
                    wrapMode: Text.Wrap
                    Layout.fillWidth: true
                }

                RowLayout {
                    spacing: 8
                    Layout.fillWidth: true

                    TextField {
                        id: reference

                        text: config.reference
                        placeholderText: "registry.example/os/debian:13"
                        maximumLength: 1024
                        selectByMouse: true
                        Layout.fillWidth: true
                        Accessible.name: qsTr("Image address")
                        Accessible.description: referenceLabel.text
                        onTextEdited: config.reference = text
                        onAccepted: if (check.enabled) config.check()

                        // Typing breaks the binding of `text`.
                        Connections {
                            target: config
                            function onReferenceChanged() {
                                if (reference.text !== config.reference)
                                    reference.text = config.reference;
                            }
                        }
                    }

                    Button {
                        id: check

                        text: qsTr("Chec&k")
                        enabled: config.reference.trim().length > 0 && !page.busy
                        Accessible.name: qsTr("Check")
                        Accessible.description: qsTr("Looks the image up on its server, the registry")
                        onClicked: config.check()
                    }
                }
            }

            RowLayout {
                visible: page.busy
                spacing: 8

                BusyIndicator {
                    running: page.busy
                    implicitHeight: 32
                    implicitWidth: 32
                }

                Label {
                    text: qsTr("Looking the image up…")
                    Accessible.name: text
                }
            }

            Login {
                id: login

                visible: config.needsLogin
                Layout.fillWidth: true
            }

            Failure {
                visible: config.state === "failed"
                failure: config.failure.length > 0 ? JSON.parse(config.failure) : null
                Layout.fillWidth: true
            }

            Button {
                visible: !config.allowOther && config.state === "failed" && !config.needsLogin
                text: qsTr("Try &again")
                Accessible.name: qsTr("Try again")
                onClicked: config.check()
            }

            Facts {
                visible: config.state === "checked"
                facts: config.facts.length > 0 ? JSON.parse(config.facts) : null
                Layout.fillWidth: true
            }
        }
    }
}
