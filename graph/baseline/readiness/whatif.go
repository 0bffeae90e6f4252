package readiness

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// An Outcome is what the what-if evaluation says of one policy.
type Outcome struct {
	ID, Name, State string
	Applies         bool
	Reason          string
	Operator        string
	Controls        []string
}

// Evaluate asks Microsoft which Conditional Access policies would apply to a user's
// sign-in; compliant is what is assumed of the device, nil: nothing. It does not
// say what would come of it.
func Evaluate(ctx context.Context, api API, user, app, platform, client string, compliant *bool) ([]Outcome, error) {
	conditions := map[string]any{"devicePlatform": platform, "clientAppType": client}
	if compliant != nil {
		conditions["deviceInfo"] = map[string]any{"isCompliant": *compliant}
	}
	body, err := json.Marshal(map[string]any{
		"signInIdentity":      map[string]any{"@odata.type": "#microsoft.graph.userSignIn", "userId": user},
		"signInContext":       map[string]any{"@odata.type": "#microsoft.graph.applicationContext", "includeApplications": []string{app}},
		"signInConditions":    conditions,
		"appliedPoliciesOnly": false,
	})
	if err != nil {
		return nil, err
	}
	answer, err := ask(ctx, api, http.MethodPost, "v1.0/identity/conditionalAccess/evaluate", nil, body)
	if err != nil {
		return nil, err
	}
	var said struct {
		Value []struct {
			ID      string `json:"id"`
			Name    string `json:"displayName"`
			State   string `json:"state"`
			Applies bool   `json:"policyApplies"`
			Reason  string `json:"analysisReasons"`
			Grant   *struct {
				Operator string   `json:"operator"`
				Controls []string `json:"builtInControls"`
			} `json:"grantControls"`
		} `json:"value"`
	}
	if err := json.Unmarshal(answer, &said); err != nil {
		return nil, fmt.Errorf("an answer that cannot be read: %w", err)
	}
	if said.Value == nil {
		return nil, fmt.Errorf("an answer without results")
	}
	out := []Outcome{}
	for _, v := range said.Value {
		o := Outcome{ID: line(v.ID), Name: line(v.Name), State: line(v.State), Applies: v.Applies, Reason: line(v.Reason)}
		if v.Grant != nil {
			o.Operator, o.Controls = v.Grant.Operator, v.Grant.Controls
		}
		out = append(out, o)
	}
	return out, nil
}
