package baseline

// Desired are the objects that a tenant is to have at a stage, in the order they
// are applied in, and what is to be said about them. It is a function of its
// arguments; of the state it uses only what names stand for (groups, accounts) and
// what the tenant is licensed for.
func Desired(_ Spec, _ Stage, _ *State) ([]Object, []Note) { return nil, nil }

// Diff are the owned properties in which an object that is there differs from the
// one that is wanted; ids maps keys to the ids of objects that are there.
func Diff(_ Object, _ Raw, _ map[string]string) []Change { return nil }

// NewPlan is what makes the tenant as it is wanted at a stage. A stage that is
// beyond what the tenant has reached, see [Reached], needs a gate that passed: else
// the plan is refused by a note.
func NewPlan(_ Spec, _ *State, _ Stage, _ *Gate) *Plan { return &Plan{} }

// Reached is the stage that a tenant is at, by what it has.
func Reached(_ Spec, _ *State) Stage { return PilotReport }
