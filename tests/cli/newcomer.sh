# The five commands of the README, against a service that was just started. $URL and $KEY are what `lineament serve` printed.
curl -H "Authorization: Bearer $KEY" -F image=@group.jpg $URL/api/v1/detect
curl -H "Authorization: Bearer $KEY" -F image1=@ada.jpg -F image2=@group.jpg -F fmr=0.001 $URL/api/v1/verify
curl -H "Authorization: Bearer $KEY" -F person=ada -F name='Ada Lovelace' -F image=@ada.jpg $URL/api/v1/enrol
curl -H "Authorization: Bearer $KEY" -H 'Content-Type: image/jpeg' --data-binary @group.jpg "$URL/api/v1/identify?k=3"
curl -H "Authorization: Bearer $KEY" -X DELETE $URL/api/v1/persons/ada
