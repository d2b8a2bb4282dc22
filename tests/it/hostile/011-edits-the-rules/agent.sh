pretend
sed -i 's/require: 4/require: 1/; s/redGreen: true/redGreen: false/' transitions.yaml
