package handlers

import (
	"cmp"
	"strings"
)

// Say is a sentence in the language, by its English words: %1, %2 and so on stand
// for values. A sentence that nobody has translated stays English.
func (t Telling) Say(english string, values ...string) string {
	if language := t.words().reference; language != "en" {
		english = cmp.Or(translations()[english][language], english)
	}
	return fill(english, values...)
}

// translations are what help desks and pagers are told, by the English words and
// the language.
func translations() map[string]map[string]string {
	out := map[string]map[string]string{}
	for entry := range strings.SplitSeq(strings.TrimSpace(sentences), "\n\n") {
		english, rest, _ := strings.Cut(entry, "\n")
		out[english] = map[string]string{}
		for line := range strings.Lines(rest) {
			language, said, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			out[english][language] = said
		}
	}
	return out
}

// sentences are the table: English, and a line for each other language.
const sentences = `
What was found:
de: Was gefunden wurde:
fr: Ce qui a été constaté :
es: Lo que se ha encontrado:
nl: Wat er is gevonden:

What only a person can help with:
de: Wobei nur ein Mensch helfen kann:
fr: Ce qui demande une intervention humaine :
es: Lo que requiere a una persona:
nl: Waar alleen een mens bij kan helpen:

Device: %1, serial number %2, %3
de: Gerät: %1, Seriennummer %2, %3
fr: Appareil : %1, numéro de série %2, %3
es: Dispositivo: %1, número de serie %2, %3
nl: Apparaat: %1, serienummer %2, %3

User: %1 (%2)
de: Benutzer: %1 (%2)
fr: Utilisateur : %1 (%2)
es: Usuario: %1 (%2)
nl: Gebruiker: %1 (%2)

Tenant: %1
de: Mandant: %1
fr: Locataire : %1
es: Inquilino: %1
nl: Tenant: %1

Severity: %1. Policy: %2.
de: Schweregrad: %1. Regel: %2.
fr: Gravité : %1. Règle : %2.
es: Gravedad: %1. Regla: %2.
nl: Ernst: %1. Regel: %2.

Links:
de: Verweise:
fr: Liens :
es: Enlaces:
nl: Koppelingen:

none
de: keine Angabe
fr: non indiqué
es: sin datos
nl: niet bekend

This goes on from ticket %1, which was %2. %3
de: Dies setzt das Ticket %1 fort (Stand: %2). %3
fr: Ceci fait suite au ticket %1 (état : %2). %3
es: Esto continúa el tique %1 (estado: %2). %3
nl: Dit is het vervolg op ticket %1 (status: %2). %3

This ticket is kept by Curfew: it is told of changes, and resolved when the device is proven healthy, unless somebody has changed it by then.
de: Dieses Ticket führt Curfew: Änderungen werden hier vermerkt, und es wird gelöst, wenn das Gerät nachweislich in Ordnung ist, es sei denn, jemand hat es bis dahin bearbeitet.
fr: Ce ticket est tenu par Curfew : les changements y sont notés, et il est résolu dès que l’appareil est reconnu sain, sauf si quelqu’un l’a modifié entre-temps.
es: Curfew lleva este tique: anota los cambios y lo resuelve cuando consta que el dispositivo está en orden, salvo que alguien lo haya modificado antes.
nl: Curfew houdt dit ticket bij: wijzigingen worden hier vermeld, en het wordt opgelost zodra vaststaat dat het apparaat in orde is, tenzij iemand het intussen heeft gewijzigd.

The device is still at risk; this was reported %1 times.
de: Das Gerät ist weiterhin gefährdet; dies wurde %1-mal gemeldet.
fr: L’appareil est toujours exposé ; signalé %1 fois.
es: El dispositivo sigue en riesgo; se ha notificado %1 veces.
nl: Het apparaat loopt nog gevaar; dit is %1 keer gemeld.

The ticket is reopened: the device is at risk, as this shows.
de: Das Ticket wird wieder geöffnet: Das Gerät ist gefährdet, wie dies zeigt.
fr: Le ticket est rouvert : l’appareil est exposé, comme le montre ce qui suit.
es: Se reabre el tique: el dispositivo está en riesgo, como muestra lo siguiente.
nl: Het ticket wordt heropend: het apparaat loopt gevaar, zoals hieruit blijkt.

The device was looked at again and is healthy: the ticket is resolved.
de: Das Gerät wurde erneut geprüft und ist in Ordnung: Das Ticket ist gelöst.
fr: L’appareil a été réexaminé et il est sain : le ticket est résolu.
es: El dispositivo se ha revisado de nuevo y está en orden: el tique queda resuelto.
nl: Het apparaat is opnieuw bekeken en is in orde: het ticket is opgelost.

The device was looked at again and is healthy.
de: Das Gerät wurde erneut geprüft und ist in Ordnung.
fr: L’appareil a été réexaminé et il est sain.
es: El dispositivo se ha revisado de nuevo y está en orden.
nl: Het apparaat is opnieuw bekeken en is in orde.

It is not resolved, because %1 has changed it since.
de: Es wird nicht gelöst, weil es inzwischen bearbeitet wurde (von: %1).
fr: Il n’est pas résolu, car il a été modifié depuis (par : %1).
es: No se resuelve, porque se ha modificado desde entonces (por: %1).
nl: Het wordt niet opgelost, omdat het intussen is gewijzigd (door: %1).

somebody
de: jemandem
fr: quelqu’un
es: alguien
nl: iemand

It is not resolved, because this desk has no way to.
de: Es wird nicht gelöst, weil es hier keinen Weg dafür gibt.
fr: Il n’est pas résolu, car cet outil n’en offre pas le moyen.
es: No se resuelve, porque este sistema no ofrece la manera de hacerlo.
nl: Het wordt niet opgelost, omdat dit systeem daar geen weg voor heeft.

It could not be resolved: Curfew's account may not be allowed to.
de: Es konnte nicht gelöst werden: Das Konto von Curfew darf es vielleicht nicht.
fr: Il n’a pas pu être résolu : le compte de Curfew n’en a peut-être pas le droit.
es: No se pudo resolver: quizá la cuenta de Curfew no tenga permiso.
nl: Het kon niet worden opgelost: het account van Curfew mag dat misschien niet.

This is a duplicate of ticket %1. %2
de: Dies ist ein Duplikat des Tickets %1. %2
fr: Ceci est un doublon du ticket %1. %2
es: Es un duplicado del tique %1. %2
nl: Dit is een duplicaat van ticket %1. %2

%1: nothing is wrong any more
de: %1: nichts ist mehr zu beanstanden
fr: %1 : plus rien à signaler
es: %1: ya no hay ningún problema
nl: %1: er is niets meer aan de hand

%1: %2 (and %3 more)
de: %1: %2 (und %3 weitere)
fr: %1 : %2 (et %3 autres)
es: %1: %2 (y %3 más)
nl: %1: %2 (en nog %3)

A device needs somebody to look after it.
de: Um ein Gerät muss sich jemand kümmern.
fr: Un appareil demande que quelqu’un s’en occupe.
es: Alguien debe ocuparse de un dispositivo.
nl: Iemand moet naar een apparaat omkijken.

There is more to say of a device that was reported before.
de: Zu einem schon gemeldeten Gerät gibt es Neues.
fr: Il y a du nouveau au sujet d’un appareil déjà signalé.
es: Hay novedades sobre un dispositivo ya notificado.
nl: Er is nieuws over een apparaat dat al was gemeld.

The device was looked at again and is healthy: the ticket can be closed.
de: Das Gerät wurde erneut geprüft und ist in Ordnung: Das Ticket kann geschlossen werden.
fr: L’appareil a été réexaminé et il est sain : le ticket peut être fermé.
es: El dispositivo se ha revisado de nuevo y está en orden: el tique se puede cerrar.
nl: Het apparaat is opnieuw bekeken en is in orde: het ticket kan worden gesloten.

In short: %1
de: Kurz: %1
fr: En bref : %1
es: En resumen: %1
nl: Kort gezegd: %1

All mails about this case have %1 in their subject. It is case %2 of Curfew, which does not read answers to this mail.
de: Alle E-Mails zu diesem Vorgang haben %1 im Betreff. Es ist der Vorgang %2 von Curfew, das Antworten auf diese E-Mail nicht liest.
fr: Tous les e-mails sur ce dossier portent %1 dans leur objet. C’est le dossier %2 de Curfew, qui ne lit pas les réponses à cet e-mail.
es: Todos los correos de este caso llevan %1 en el asunto. Es el caso %2 de Curfew, que no lee las respuestas a este correo.
nl: Alle e-mails over deze zaak hebben %1 in het onderwerp. Het is zaak %2 van Curfew, dat antwoorden op deze e-mail niet leest.

At risk: %1
de: Gefährdet: %1
fr: Exposé : %1
es: En riesgo: %1
nl: Loopt gevaar: %1

Still at risk: %1
de: Weiterhin gefährdet: %1
fr: Toujours exposé : %1
es: Sigue en riesgo: %1
nl: Loopt nog gevaar: %1

Over: %1
de: Vorbei: %1
fr: Terminé : %1
es: Terminado: %1
nl: Voorbij: %1

Found: %1
de: Befund: %1
fr: Constat : %1
es: Hallazgo: %1
nl: Gevonden: %1

Needs a person: %1
de: Braucht einen Menschen: %1
fr: Intervention humaine : %1
es: Requiere a una persona: %1
nl: Vraagt om een mens: %1

User: %1
de: Benutzer: %1
fr: Utilisateur : %1
es: Usuario: %1
nl: Gebruiker: %1

Serial number: %1
de: Seriennummer: %1
fr: Numéro de série : %1
es: Número de serie: %1
nl: Serienummer: %1

Policy: %1
de: Regel: %1
fr: Règle : %1
es: Regla: %1
nl: Regel: %1

Case: %1
de: Vorgang: %1
fr: Dossier : %1
es: Caso: %1
nl: Zaak: %1

Read on: %1
de: Weiterlesen: %1
fr: Pour en savoir plus : %1
es: Más información: %1
nl: Lees verder: %1

Device: %1
de: Gerät: %1
fr: Appareil : %1
es: Dispositivo: %1
nl: Apparaat: %1

State: %1
de: Stand: %1
fr: État : %1
es: Estado: %1
nl: Status: %1

The device is healthy again.
de: Das Gerät ist wieder in Ordnung.
fr: L’appareil est de nouveau sain.
es: El dispositivo vuelve a estar en orden.
nl: Het apparaat is weer in orde.

Page %1: %2
de: Alarm %1: %2
fr: Alerte %1 : %2
es: Aviso %1: %2
nl: Oproep %1: %2

You are on call (%1), and this is page %2 of the case.
de: Sie haben Bereitschaft (%1), und dies ist Alarm %2 zu diesem Vorgang.
fr: Vous êtes d’astreinte (%1), et ceci est l’alerte %2 de ce dossier.
es: Está de guardia (%1), y este es el aviso %2 de este caso.
nl: U hebt dienst (%1), en dit is oproep %2 in deze zaak.

You are on call (%1).
de: Sie haben Bereitschaft (%1).
fr: Vous êtes d’astreinte (%1).
es: Está de guardia (%1).
nl: U hebt dienst (%1).

To take it on: %1
de: Um ihn zu übernehmen: %1
fr: Pour le prendre en charge : %1
es: Para hacerse cargo: %1
nl: Om het op te pakken: %1

The case is over; there is nothing to do any more.
de: Der Vorgang ist abgeschlossen; es ist nichts mehr zu tun.
fr: Le dossier est clos ; il n’y a plus rien à faire.
es: El caso ha terminado; ya no hay nada que hacer.
nl: De zaak is afgesloten; er hoeft niets meer te gebeuren.

the device will be nobody's afterwards
de: das Gerät gehört danach niemandem mehr
fr: l’appareil ne sera plus à personne ensuite
es: después el dispositivo no será de nadie
nl: het apparaat is daarna van niemand meer

what is lost
de: was verloren geht
fr: ce qui est perdu
es: lo que se pierde
nl: wat verloren gaat

primary user
de: primärer Benutzer
fr: utilisateur principal
es: usuario principal
nl: primaire gebruiker

last check-in
de: letzte Rückmeldung
fr: dernière communication
es: última comunicación
nl: laatste melding

BitLocker key
de: BitLocker-Schlüssel
fr: clé BitLocker
es: clave de BitLocker
nl: BitLocker-sleutel

open files
de: offene Dateien
fr: fichiers ouverts
es: archivos abiertos
nl: open bestanden

not known
de: nicht bekannt
fr: inconnu
es: no se sabe
nl: niet bekend

not known: what is not synchronised elsewhere is lost
de: nicht bekannt: was nicht anderswo synchronisiert ist, geht verloren
fr: inconnu : ce qui n’est pas synchronisé ailleurs est perdu
es: no se sabe: lo que no esté sincronizado en otro lugar se pierde
nl: niet bekend: wat niet elders is gesynchroniseerd, gaat verloren

whether it is escrowed is not known
de: ob er hinterlegt ist, ist nicht bekannt
fr: on ne sait pas si elle est conservée
es: no se sabe si está guardada
nl: of die is bewaard, is niet bekend

the device's connections to everything but Defender, until somebody lets it back
de: alle Verbindungen des Geräts außer zu Defender, bis jemand es wieder zulässt
fr: toutes les connexions de l’appareil sauf vers Defender, jusqu’à ce que quelqu’un le réadmette
es: todas las conexiones del dispositivo salvo con Defender, hasta que alguien lo readmita
nl: alle verbindingen van het apparaat behalve met Defender, totdat iemand het weer toelaat

the organisation's data, apps and settings on the device, and its management, for good
de: Daten, Apps und Einstellungen der Organisation auf dem Gerät und dessen Verwaltung, endgültig
fr: les données, applications et réglages de l’organisation sur l’appareil, et sa gestion, définitivement
es: los datos, aplicaciones y ajustes de la organización en el dispositivo, y su administración, para siempre
nl: gegevens, apps en instellingen van de organisatie op het apparaat, en het beheer ervan, voorgoed

everything on the device and its enrolment, for good
de: alles auf dem Gerät und dessen Registrierung, endgültig
fr: tout ce que contient l’appareil et son inscription, définitivement
es: todo lo que hay en el dispositivo y su inscripción, para siempre
nl: alles op het apparaat en de inschrijving ervan, voorgoed

the user's files, apps and settings on the device, for good
de: Dateien, Apps und Einstellungen des Benutzers auf dem Gerät, endgültig
fr: les fichiers, applications et réglages de l’utilisateur sur l’appareil, définitivement
es: los archivos, aplicaciones y ajustes del usuario en el dispositivo, para siempre
nl: bestanden, apps en instellingen van de gebruiker op het apparaat, voorgoed
`
