greet
sed 's/require: 4/require: 1/' transitions.yaml >transitions.proposed.yaml
