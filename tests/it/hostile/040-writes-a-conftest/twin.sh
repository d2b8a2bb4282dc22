greet
echo 'def test_nothing(): pass' >test_more.py
