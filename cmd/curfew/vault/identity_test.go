package vault

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// elsewhere is a network with a vault and nothing else: no metadata service, which
// gives machines in Azure their identity at 169.254.169.254 (Entra docs: How to use
// managed identities for Azure resources on an Azure VM to acquire an access token).
type elsewhere struct{ asked []string }

func (e *elsewhere) RoundTrip(r *http.Request) (*http.Response, error) {
	e.asked = append(e.asked, r.URL.Host)
	if r.URL.Host != host {
		return nil, errors.New("connection refused, said " + value)
	}
	h := http.Header{"Www-Authenticate": {`Bearer authorization="https://login.microsoftonline.com/8c2f6a1e-5d3b-4f0a-9b7c-1e2d3c4b5a69", resource="https://vault.azure.net"`}}
	return &http.Response{StatusCode: http.StatusUnauthorized, Header: h, Body: io.NopCloser(strings.NewReader("{}")), Request: r}, nil
}

// A machine that is nobody is told what to do, in time, and no tool of a person is
// asked instead.
func TestAMachineWithoutAnIdentity(t *testing.T) {
	for _, key := range []string{"AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET", "AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT", "MSI_ENDPOINT", "IMDS_ENDPOINT"} {
		t.Setenv(key, "")
	}
	synctest.Test(t, func(t *testing.T) {
		net := &elsewhere{}
		r := Reader{Client: &http.Client{Transport: net}}
		began := time.Now()
		_, err := r.Read(t.Context(), "https://"+host+"/secrets/desk")
		if err == nil || strings.Contains(err.Error(), value) || !strings.Contains(err.Error(), "identity") {
			t.Error(err)
		}
		if took := time.Since(began); took > within {
			t.Errorf("it took %v", took)
		}
		for _, asked := range net.asked {
			if asked != host && asked != "169.254.169.254" {
				t.Errorf("%s was asked", asked)
			}
		}
		if len(net.asked) < 2 {
			t.Errorf("only %v were asked", net.asked)
		}
	})
}
