#!@SHELL@
echo '@HOST@'
