package graphtest_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"curfew/graph/graphtest"
)

func Example() {
	cloud := graphtest.NewCloud()
	defer cloud.Close()
	contoso := cloud.AddTenant("contoso", "0e3b7f0e-5a51-4c1e-9d0c-6f6a6f3c2a11")
	contoso.SetTiming(graphtest.Timing{}) // everything at once
	app := contoso.AddApp("b5a0c9d2-4a9e-4c55-9a3b-0d8a7f2f6e33", "secret", graphtest.AllRoles()...)
	laptop := contoso.AddDevice(graphtest.Device{Name: "LT-042", User: "ana@contoso.example"})
	contoso.Infect("LT-042", graphtest.Medium)

	client := http.Client{Transport: cloud.Transport()} // no socket; or cloud.Listen and cloud.Client
	req, _ := http.NewRequest("POST", "https://graph.microsoft.com/v1.0/deviceManagement/managedDevices/"+laptop.ID+"/wipe",
		strings.NewReader(`{"keepEnrollmentData":true,"keepUserData":false}`))
	req.Header.Set("Authorization", "Bearer "+app.Token())
	res, err := client.Do(req)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = res.Body.Close()
	time.Sleep(time.Millisecond)

	fmt.Println(res.Status)
	for _, a := range contoso.Actions("LT-042") {
		fmt.Println(a.Kind, a.State, a.Happened)
	}
	// Output:
	// 204 No Content
	// autopilotReset done true
}
