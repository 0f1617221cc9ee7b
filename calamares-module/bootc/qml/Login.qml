// SPDX-License-Identifier: GPL-3.0-or-later
// Asked for when the registry asks for it.
import QtQuick
import QtQuick.Controls
import QtQuick.Layouts

GroupBox {
    id: box

    title: qsTr("Log in at %1").arg(config.loginHost)

    function submit() {
        if (!login.enabled)
            return;
        config.logIn(user.text, password.text);
        // It is with the installer now, and in no field any more.
        password.clear();
    }

    onVisibleChanged: if (visible) user.forceActiveFocus()

    GridLayout {
        width: parent.width
        columns: 2
        columnSpacing: 12
        rowSpacing: 6

        Label {
            text: qsTr("User name")
        }

        TextField {
            id: user

            inputMethodHints: Qt.ImhNoAutoUppercase | Qt.ImhNoPredictiveText
            Layout.fillWidth: true
            Accessible.name: qsTr("User name at the registry")
            onAccepted: password.forceActiveFocus()
        }

        Label {
            text: qsTr("Password or token")
        }

        TextField {
            id: password

            echoMode: TextInput.Password
            Layout.fillWidth: true
            Accessible.name: qsTr("Password or token at the registry")
            onAccepted: box.submit()
        }

        CheckBox {
            text: qsTr("Keep this login in the installed system, so that it gets updates")
            checked: config.keepLogin
            Layout.columnSpan: 2
            Layout.fillWidth: true
            Accessible.name: text
            onToggled: config.keepLogin = checked
        }

        Button {
            id: login

            text: qsTr("&Log in and check")
            enabled: user.text.length > 0 && password.text.length > 0 && config.state !== "checking"
            Layout.columnSpan: 2
            Accessible.name: qsTr("Log in and check")
            onClicked: box.submit()
        }
    }
}
