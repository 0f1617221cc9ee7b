// SPDX-License-Identifier: GPL-3.0-or-later
#include "Failure.h"

#include <QCoreApplication>
#include <QJsonArray>
#include <QStringList>

namespace
{
/// Context of the engine's texts, see EngineTexts.h.
const char CONTEXT[] = "Engine";
}  // namespace

namespace bootc
{

ErrorText
ErrorText::fromJson( const QJsonObject& error )
{
    QStringList details;
    for ( const auto& detail : error.value( "details" ).toArray() )
    {
        details.append( detail.toString() );
    }
    return { error.value( "code" ).toString(),
             error.value( "what" ).toString(),
             error.value( "why" ).toString(),
             error.value( "next" ).toString(),
             details.join( '\n' ) };
}

QString
translated( const QString& text )
{
    return QCoreApplication::translate( CONTEXT, text.toUtf8().constData() );
}

QString
translatedWhat( const ErrorText& error )
{
    const auto sentence = translated( error.code );
    return sentence == error.code ? error.what : sentence;
}

Calamares::JobResult
jobResult( const ErrorText& error )
{
    const auto what = translatedWhat( error );
    QStringList details;
    if ( what != error.what )
    {
        details.append( error.what );
    }
    if ( !error.details.isEmpty() )
    {
        details.append( error.details );
    }
    details.append( error.code );
    const auto message = QStringLiteral( "<p>%1</p><p>%2</p><p><b>%3</b></p>" )
                             .arg( what.toHtmlEscaped(),
                                   translated( error.why ).toHtmlEscaped(),
                                   translated( error.next ).toHtmlEscaped() );
    return Calamares::JobResult::error( message, details.join( '\n' ) );
}

}  // namespace bootc
