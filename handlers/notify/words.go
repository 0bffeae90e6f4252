package notify

import (
	"cmp"
	"slices"
	"strings"

	"curfew/events"
	"curfew/handlers"
)

// phrases are a notice in one language. Names in braces are filled in.
type phrases struct {
	tag      string
	ask      string // whom to ask, if the configuration does not say
	title    string // at most 50 characters; the device is at risk
	text     string // {device}
	due      string // {due}
	question string // {ask} and {case}
	well     string // at most 50 characters; the device is healthy again
	over     string // {device}
}

// spoken are the languages of notices, English first: those of handlers.Languages.
func spoken() []phrases {
	return []phrases{
		{
			tag: "en", ask: "your IT help desk", title: "Your device needs your attention",
			text: "{device} is at risk and may be kept out of mail and files. What to do is in a mail to you; read it on another device.",
			due:  "If nothing changes, it will be reset on {due}.", question: "Questions: {ask}, case {case}.",
			well: "Your device is in order again", over: "{device} is healthy again. If it was kept out of mail and files, it will be let in again soon.",
		},
		{
			tag: "de", ask: "Ihr IT-Helpdesk", title: "Ihr Gerät braucht Ihre Aufmerksamkeit",
			text: "{device} ist gefährdet und hat womöglich keinen Zugang zu E-Mail und Dateien. Was zu tun ist, steht in einer E-Mail an Sie; lesen Sie sie auf einem anderen Gerät.",
			due:  "Ändert sich nichts, wird es am {due} zurückgesetzt.", question: "Fragen: {ask}, Vorgang {case}.",
			well: "Ihr Gerät ist wieder in Ordnung", over: "{device} ist wieder in Ordnung. Falls der Zugang zu E-Mail und Dateien gesperrt war, kommt er bald zurück.",
		},
		{
			tag: "fr", ask: "votre assistance informatique", title: "Votre appareil demande votre attention",
			text: "{device} est exposé à un risque et n’a peut-être plus accès aux e-mails et aux fichiers. La marche à suivre est dans un e-mail ; lisez-le sur un autre appareil.",
			due:  "Si rien ne change, il sera réinitialisé le {due}.", question: "Questions : {ask}, dossier {case}.",
			well: "Tout est rentré dans l’ordre", over: "{device} est de nouveau sain. Si l’accès aux e-mails et aux fichiers était bloqué, il sera bientôt rétabli.",
		},
		{
			tag: "es", ask: "el servicio de asistencia informática", title: "Su dispositivo requiere su atención",
			text: "{device} está en riesgo y quizá no tenga acceso al correo ni a los archivos. Lo que debe hacer está en un correo; léalo en otro dispositivo.",
			due:  "Si nada cambia, se restablecerá el {due}.", question: "Preguntas: {ask}, caso {case}.",
			well: "Su dispositivo vuelve a estar en orden", over: "{device} vuelve a estar en orden. Si no tenía acceso al correo y a los archivos, pronto lo recuperará.",
		},
		{
			tag: "nl", ask: "de IT-helpdesk", title: "Uw apparaat vraagt uw aandacht",
			text: "{device} loopt gevaar en heeft misschien geen toegang tot e-mail en bestanden. Wat u moet doen, staat in een e-mail aan u; lees die op een ander apparaat.",
			due:  "Verandert er niets, dan wordt het op {due} gereset.", question: "Vragen: {ask}, zaak {case}.",
			well: "Uw apparaat is weer in orde", over: "{device} is weer in orde. Was de toegang tot e-mail en bestanden geblokkeerd, dan komt die snel terug.",
		},
	}
}

func speak(language string) (phrases, bool) {
	all := spoken()
	for _, tag := range handlers.Widen(language) {
		if i := slices.IndexFunc(all, func(p phrases) bool { return p.tag == tag }); i >= 0 {
			return all[i], true
		}
	}
	return all[0], false
}

// A notice is what a user is told: a title, and a text whose beginning says most,
// for less may be shown of it.
type notice struct{ title, text string }

// notice is what there is to tell of a case: that it is open, or that it is over.
func (v Voice) notice(c events.Case) notice {
	d := c.Inhabited()
	p, ok := speak(d.Language)
	if !ok {
		p, _ = speak(v.Language)
	}
	fill := strings.NewReplacer(
		"{device}", cmp.Or(handlers.Line(d.Name, 60), c.Key.Device),
		"{due}", v.due(c, p.tag),
		"{ask}", cmp.Or(handlers.Line(v.ask(p.tag), 120), p.ask),
		"{case}", c.ID(),
	)
	if !c.Open {
		return notice{p.well, fill.Replace(p.over)}
	}
	parts := []string{p.text}
	if v.due(c, p.tag) != "" {
		parts = append(parts, p.due)
	}
	return notice{p.title, fill.Replace(strings.Join(append(parts, p.question), " "))}
}

// due is when the device will be reset, as its user reads it.
func (v Voice) due(c events.Case, language string) string {
	if v.ResetDue == nil {
		return ""
	}
	return handlers.Telling{Language: language}.When(v.ResetDue(c), handlers.ZoneOf(c.Inhabited(), v.Zone))
}

func (v Voice) ask(language string) string {
	return cmp.Or(v.AskIn[language], v.Ask)
}
