package jiratest

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// create makes an issue: 201 with id, key and self (Cloud docs: create issue).
func (s *Site) create(w http.ResponseWriter, in map[string]any) {
	f, _ := in["fields"].(map[string]any)
	i := &Issue{Status: "To Do", Creator: Us, Fields: map[string]any{}, Priority: "Medium"}
	for name, value := range f {
		named, _ := value.(map[string]any)
		text, _ := value.(string)
		switch name {
		case "project":
			i.Project = fmt.Sprint(named["key"])
		case "issuetype":
			i.Type = fmt.Sprint(named["name"])
		case "summary":
			i.Summary = text
		case "description":
			i.Text = value
		case "priority":
			i.Priority = fmt.Sprint(named["name"])
		case "labels":
			list, _ := value.([]any)
			for _, l := range list {
				i.Labels = append(i.Labels, fmt.Sprint(l))
			}
		case "customfield_10042", "customfield_10043":
			i.Fields[name] = value
		default:
			refuseField(w, name, fmt.Sprintf("Field '%s' cannot be set. It is not on the appropriate screen, or unknown.", name))
			return
		}
	}
	switch {
	case i.Project != "SEC" && i.Project != "TRIAGE":
		refuseField(w, "project", "valid project is required")
	case i.Type != "Task":
		refuseField(w, "issuetype", "Specify a valid issue type")
	case i.Summary == "":
		refuseField(w, "summary", "You must specify a summary of the issue.")
	case strings.ContainsAny(i.Summary, "\r\n"):
		refuseField(w, "summary", "The summary is invalid because it contains newline characters.")
	case len([]rune(i.Summary)) > 255:
		refuseField(w, "summary", "Summary must be less than 255 characters.")
	case !slices.Contains([]string{"Highest", "High", "Medium", "Low", "Lowest"}, i.Priority):
		refuseField(w, "priority", "The priority selected is invalid.")
	case slices.ContainsFunc(i.Labels, func(l string) bool { return l == "" || strings.ContainsAny(l, " \t\n") }):
		refuseField(w, "labels", "The label contains spaces which is invalid.")
	case s.badText(i.Text) != "":
		refuseField(w, "description", s.badText(i.Text))
	default:
		s.add(i)
		answer(w, http.StatusCreated, map[string]any{"id": strconv.Itoa(i.ID), "key": i.Key, "self": "https://jira.example/rest/api/issue/" + strconv.Itoa(i.ID)})
	}
}

// badText says why a text is none: v3 takes documents of the Atlassian Document
// Format and v2 strings; 32,767 characters are the most (Cloud docs: issue fields;
// ADF docs: a text node must not be empty).
func (s *Site) badText(body any) string {
	text, isText := body.(string)
	switch doc, isDoc := body.(map[string]any); {
	case s.cloud() && !isDoc:
		return "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
	case !s.cloud() && !isText:
		return "Operation value must be a string"
	case s.cloud() && (doc["type"] != "doc" || doc["version"] != 1.0 || emptyText(doc)):
		return "INVALID_INPUT"
	case s.cloud():
		text = Text(body)
	}
	if len([]rune(text)) > 32767 {
		return "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
	}
	return ""
}

func emptyText(node map[string]any) bool {
	content, _ := node["content"].([]any)
	for _, c := range content {
		n, ok := c.(map[string]any)
		if text, _ := n["text"].(string); !ok || n["type"] == "text" && text == "" || emptyText(n) {
			return true
		}
	}
	return false
}

// Text is what people read of a body.
func Text(body any) string {
	if text, ok := body.(string); ok {
		return strings.TrimSuffix(strings.TrimPrefix(text, "{noformat}\n"), "\n{noformat}")
	}
	node, _ := body.(map[string]any)
	text, _ := node["text"].(string)
	if node["type"] == "hardBreak" {
		text = "\n"
	}
	content, _ := node["content"].([]any)
	for _, c := range content {
		text += Text(c)
	}
	if node["type"] == "paragraph" {
		text += "\n\n"
	}
	return text
}

// live is what the wiki renderer of API v2 obeys: links, mentions, pictures,
// macros and headings (DC docs: text formatting notation).
var live = regexp.MustCompile(`\[[^\]\n]+\|[^\]\n]+\]|\[~[^\]]+\]|![^!\s]+!|\{[a-z]+(:[^}]*)?\}|(?m)^h[1-6]\. `)

// Markup is what a body shows that is more than text.
func Markup(body any) []string {
	if text, ok := body.(string); ok {
		for _, part := range regexp.MustCompile(`(?s)\{noformat\}.*?\{noformat\}`).Split(text, -1) {
			if found := live.FindAllString(part, -1); found != nil {
				return found
			}
		}
		return nil
	}
	node, _ := body.(map[string]any)
	var out []string
	if t, _ := node["type"].(string); !slices.Contains([]string{"doc", "paragraph", "text", "hardBreak"}, t) || node["marks"] != nil {
		out = append(out, t)
	}
	content, _ := node["content"].([]any)
	for _, c := range content {
		out = append(out, Markup(c)...)
	}
	return out
}

// issue serves what is below one.
func (s *Site) issue(w http.ResponseWriter, r *http.Request, i *Issue, what string, in map[string]any) {
	switch r.Method + " " + what {
	case "GET ":
		shown := s.show(i)
		fields := shown["fields"].(map[string]any)
		fields["description"] = i.Text
		for name := range fields {
			if asked := r.FormValue("fields"); asked != "" && !slices.Contains(strings.Split(asked, ","), name) {
				delete(fields, name)
			}
		}
		if r.FormValue("expand") == "changelog" {
			shown["changelog"] = map[string]any{"histories": s.changes(i)}
		}
		answer(w, http.StatusOK, shown)
	case "GET comment":
		var list []any
		for _, c := range i.Comments {
			list = append(list, map[string]any{"author": s.user(c.By), "body": c.Body, "created": stamp(c.At), "updateAuthor": s.user(c.By), "updated": stamp(c.At)})
		}
		paged(w, r, "comments", list)
	case "GET changelog":
		if !s.cloud() {
			refuse(w, http.StatusNotFound, "dead link") // DC docs have only expand=changelog
			return
		}
		paged(w, r, "values", s.changes(i))
	case "POST comment":
		if why := s.badText(in["body"]); why != "" {
			refuseField(w, "comment", why)
			return
		}
		c := Comment{By: Us, Body: in["body"], At: time.Now()}
		c.Internal = strings.Contains(fmt.Sprint(in["properties"]), "sd.public.comment") && strings.Contains(fmt.Sprint(in["properties"]), "internal:true")
		i.Comments = append(i.Comments, c)
		answer(w, http.StatusCreated, map[string]any{"id": strconv.Itoa(len(i.Comments)), "created": stamp(c.At)})
	case "GET transitions":
		answer(w, http.StatusOK, map[string]any{"transitions": s.transitions(i)})
	case "POST transitions":
		s.transit(w, i, in)
	default:
		refuse(w, http.StatusMethodNotAllowed, "Method Not Allowed")
	}
}

// show is an issue in an answer.
func (s *Site) show(i *Issue) map[string]any {
	fields := map[string]any{
		"status": map[string]any{"name": i.Status, "statusCategory": map[string]string{"key": category(i.Status)}},
		"labels": slices.Clone(i.Labels), "creator": s.user(i.Creator), "assignee": nil, "created": stamp(i.Created), "resolutiondate": stamp(i.Resolved),
	}
	if i.Assignee != "" {
		fields["assignee"] = s.user(i.Assignee)
	}
	if s.cloud() {
		fields["statuscategorychangedate"] = stamp(i.Changed)
	}
	return map[string]any{"id": strconv.Itoa(i.ID), "key": i.Key, "fields": fields}
}

func (s *Site) changes(i *Issue) []any {
	out := []any{}
	for _, c := range i.Changes {
		out = append(out, map[string]any{"author": s.user(c.By), "created": stamp(c.At)})
	}
	return out
}

// paged shows a page by startAt and maxResults, of 50 unless asked and never more
// than 100, oldest first (Cloud docs: get comments, get changelogs).
func paged(w http.ResponseWriter, r *http.Request, name string, list []any) {
	from, _ := strconv.Atoi(r.FormValue("startAt"))
	size, err := strconv.Atoi(r.FormValue("maxResults"))
	if err != nil {
		size = 50
	}
	from = min(from, len(list))
	page := append([]any{}, list[from:min(from+min(size, 100), len(list))]...)
	answer(w, http.StatusOK, map[string]any{name: page, "startAt": from, "maxResults": size, "total": len(list)})
}
