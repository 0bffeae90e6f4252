package vault

import (
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// credential is who asks in a cloud, made once so that tokens are kept. There is
// no way in that needs a person or their tools: what works on an administrator's
// desk must work where nobody sits. It is called with mu held.
func (r *Reader) credential(in string) (azcore.TokenCredential, error) {
	if r.Credential != nil {
		return r.Credential, nil
	}
	if c := r.asking[in]; c != nil {
		return c, nil
	}
	o := r.options(in)
	var chain []azcore.TokenCredential
	if c, err := azidentity.NewEnvironmentCredential(&azidentity.EnvironmentCredentialOptions{ClientOptions: o}); err == nil {
		chain = append(chain, c)
	}
	if c, err := azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{ClientOptions: o}); err == nil {
		chain = append(chain, c)
	}
	managed := azidentity.ManagedIdentityCredentialOptions{ClientOptions: o}
	if id := os.Getenv("AZURE_CLIENT_ID"); id != "" {
		managed.ID = azidentity.ClientID(id)
	}
	if c, err := azidentity.NewManagedIdentityCredential(&managed); err == nil {
		chain = append(chain, c)
	}
	if len(chain) == 0 {
		return nil, errNobody
	}
	c, err := azidentity.NewChainedTokenCredential(chain, nil)
	if err != nil {
		return nil, errNobody
	}
	r.asking[in] = c
	return c, nil
}
