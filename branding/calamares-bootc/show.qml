// SPDX-License-Identifier: GPL-3.0-or-later
// What is shown while it installs: three slides that answer what people ask
// about such a system. Calamares loads it at its start and calls onActivate()
// and onLeave(). It needs nothing but QtQuick.

pragma ComponentBehavior: Bound

import QtQuick

Rectangle {
    id: show

    color: "#f4f7fa"

    readonly property color ink: "#16222e"
    readonly property color accent: "#0b5cad"
    /// Long enough to read a slide twice.
    readonly property int secondsPerSlide: 20

    property int current: 0
    /// Set while Calamares shows this.
    property bool running: false

    readonly property var slides: [
        {
            picture: "slide-image.svg",
            title: qsTr("Your system is one image"),
            text: qsTr("Kernel, programs and settings come together, as they were built and tested. The installer downloads this image, checks every part of it and puts it on the disk. Programs in it cannot be changed by accident, because they are read-only.")
        },
        {
            picture: "slide-update.svg",
            title: qsTr("Updates, and the way back"),
            text: qsTr("An update is the next image. It is put beside the running one and starts at the next boot, all of it or nothing. The system before it stays: choose it in the boot menu, or go back with “bootc rollback”.")
        },
        {
            picture: "slide-data.svg",
            title: qsTr("Your data stays yours"),
            text: qsTr("Your files in /home and the data of services in /var are never replaced by an update. Settings in /etc are kept as well, and merged with those of the new image.")
        }
    ]

    function onActivate() {
        current = 0
        running = true
    }

    function onLeave() {
        running = false
    }

    function go(step) {
        current = (current + step + slides.length) % slides.length
        timer.restart()
    }

    Timer {
        id: timer
        interval: show.secondsPerSlide * 1000
        running: show.running
        repeat: true
        onTriggered: show.go(1)
    }

    // Text is as large as the system's font, larger where there is room.
    FontMetrics { id: metrics }
    readonly property real size: Math.max(metrics.font.pixelSize > 0 ? metrics.font.pixelSize : metrics.height * 0.75,
                                          Math.min(width / 38, height / 19, 22))
    readonly property real margin: Math.max(12, Math.min(width, height) * 0.06)

    Item {
        id: page

        anchors { top: parent.top; left: parent.left; right: parent.right; bottom: bar.top; margins: show.margin }

        Image {
            id: picture

            readonly property bool fits: status === Image.Ready && show.width > 480

            anchors { left: parent.left; verticalCenter: parent.verticalCenter }
            width: fits ? Math.min(parent.width * 0.28, parent.height * 0.8) : 0
            height: width
            visible: fits
            fillMode: Image.PreserveAspectFit
            sourceSize { width: 400; height: 400 }
            source: show.slides[show.current].picture
            Accessible.ignored: true // it says nothing that the text does not
        }

        Column {
            anchors {
                left: picture.right
                leftMargin: picture.visible ? show.margin : 0
                right: parent.right
                verticalCenter: parent.verticalCenter
            }
            spacing: show.size * 0.8

            Text {
                width: parent.width
                text: show.slides[show.current].title
                color: show.ink
                font { pixelSize: show.size * 1.5; bold: true }
                wrapMode: Text.WordWrap
                textFormat: Text.PlainText
                Accessible.role: Accessible.Heading
                Accessible.name: text
            }
            Text {
                width: parent.width
                text: show.slides[show.current].text
                color: show.ink
                font.pixelSize: show.size
                lineHeight: 1.25
                wrapMode: Text.WordWrap
                textFormat: Text.PlainText
                Accessible.role: Accessible.StaticText
                Accessible.name: text
            }
        }
    }

    // Back, where one is, forward.
    Row {
        id: bar

        anchors { bottom: parent.bottom; horizontalCenter: parent.horizontalCenter; bottomMargin: show.margin / 2 }
        spacing: 10

        component Arrow: Rectangle {
            id: arrow

            property int step: 1

            width: 34
            height: 34
            radius: 6
            color: mouse.containsMouse ? "#dbe7f2" : "transparent"
            border { width: activeFocus ? 2 : 0; color: show.accent }
            activeFocusOnTab: true

            Accessible.role: Accessible.Button
            Accessible.name: step > 0 ? qsTr("Next slide") : qsTr("Previous slide")
            Accessible.focusable: true
            Accessible.onPressAction: show.go(step)
            Keys.onSpacePressed: show.go(step)
            Keys.onReturnPressed: show.go(step)
            Keys.onEnterPressed: show.go(step)

            Text {
                anchors.centerIn: parent
                text: arrow.step > 0 ? "›" : "‹"
                color: show.accent
                font { pixelSize: 26; bold: true }
                Accessible.ignored: true
            }
            MouseArea {
                id: mouse
                anchors.fill: parent
                hoverEnabled: true
                onClicked: show.go(arrow.step)
            }
        }

        Arrow { step: -1 }

        Repeater {
            model: show.slides.length

            Rectangle {
                required property int index

                anchors.verticalCenter: parent.verticalCenter
                width: index === show.current ? 22 : 10
                height: 10
                radius: 5
                color: index === show.current ? show.accent : "#9fb2c4"
            }
        }

        Arrow { step: 1 }
    }
}
