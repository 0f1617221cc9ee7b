// SPDX-License-Identifier: GPL-3.0-or-later
// A view that scrolls to whatever has the focus, which ScrollView does not.
import QtQuick
import QtQuick.Controls

ScrollView {
    id: view

    readonly property Item focused: Window.activeFocusItem
    // Between what has the focus and the edge: the frame around it, and a hint
    // that there is more.
    property int margin: 8

    // Until the person scrolls by hand.
    property bool following: true

    function holds(item) {
        while (item && item !== contentItem.contentItem)
            item = item.parent;
        return !!item;
    }

    function follow() {
        if (!following || !holds(focused))
            return;
        const top = focused.mapToItem(contentItem.contentItem, 0, 0).y - margin;
        const bottom = top + focused.height + 2 * margin;
        // What is higher than the view is shown from its beginning.
        const low = Math.min(top, bottom - contentItem.height);
        const wanted = Math.max(low, Math.min(contentItem.contentY, top));
        contentItem.contentY = Math.max(0, Math.min(wanted, contentItem.contentHeight - contentItem.height));
    }

    onFocusedChanged: {
        following = true;
        follow();
    }

    // What was just shown gets its place a moment after the focus.
    Connections {
        target: view.contentItem

        function onContentHeightChanged() {
            view.follow();
        }

        function onHeightChanged() {
            view.follow();
        }

        function onMovementStarted() {
            view.following = false;
        }
    }

    Connections {
        target: view.ScrollBar.vertical

        function onPressedChanged() {
            view.following = false;
        }
    }
}
