greet
echo 'Review it.' >prompts/review.md
