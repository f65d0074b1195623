# Step 1 without a GPU: half of ResNet-18's channels. It starts with the packaged weights of the digit scenes,
# except for the layers of the classes (with ten classes, their number there, with these as well).
_base_ = ['../_base_/faster-rcnn_r18w32_fpn_demo.py', '../_base_/custom_small_teacher.py']

load_from = 'zoo://demo-teacher'
