"""What ``make demo`` does: data made on the spot, a teacher, a student, the same with EA-KD, a table and a picture."""
