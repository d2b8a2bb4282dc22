greet
mkdir build
cp greet.sh build/
