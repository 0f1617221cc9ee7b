// SPDX-License-Identifier: GPL-3.0-or-later
#include "StopDialog.h"

#include <QLabel>
#include <QProgressBar>
#include <QVBoxLayout>

namespace bootc
{

StopDialog::StopDialog( QWidget* parent )
    : QDialog( parent )
{
    setWindowTitle( tr( "Cancelling", "@title" ) );
    setModal( true );
    auto* label = new QLabel( tr( "The installation is being stopped and the disks are being released.", "@info" ), this );
    auto* bar = new QProgressBar( this );
    bar->setRange( 0, 0 );
    bar->setAccessibleName( label->text() );
    auto* layout = new QVBoxLayout( this );
    layout->addWidget( label );
    layout->addWidget( bar );
}

}  // namespace bootc
